// The book of a mirror without a disk.
import { memoryBook } from '../../../src/core/mirror/memory-book.ts';
import { describeBook } from '../../conformance/book.ts';
import { TestClock } from './world.ts';

describeBook('in memory', async () => memoryBook(new TestClock()));
