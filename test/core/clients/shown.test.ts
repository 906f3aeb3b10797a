// Secrets that stand near a change are not shown with it, in whatever format the file is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from '../../../src/core/clients/shown.ts';

const lines: readonly (readonly [before: string, after: string])[] = [
  ['       password: hunter2', '       password: …'],
  ['-  "identitytoken" : "a b", "x": 1', '-  "identitytoken" : …'],
  ['+  auth = "dXNlcjpwYXNz" # mine', '+  auth = …'],
  [' K3S_TOKEN=hunter2', ' K3S_TOKEN=…'],
  ["   auth: {username: me, 'password': x}", '   auth: …'],
  ['   {"a.example": {"auth": "dXNl"}}', '   {"a.example": {"auth": …'],
  [' export AWS_SECRET_ACCESS_KEY=x', ' export AWS_SECRET_ACCESS_KEY=…'],
  ['   auth:', '   auth:'],
  ['   "auth": {', '   "auth": {'],
  [' [plugins."cri".registry.configs."a.example".auth]', ' [plugins."cri".registry.configs."a.example".auth]'],
  ['   "authorization-plugins": ["a"],', '   "authorization-plugins": ["a"],'],
  [' username: me', ' username: me'],
];
for (const [before, after] of lines) {
  test(before, () => assert.equal(withoutSecrets(`@@\n${before}\n end`), `@@\n${after}\n end`));
}
