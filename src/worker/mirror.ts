// The mirror at the edge: the entry that workerd calls for each request.
import { env } from 'cloudflare:workers';
import { answer } from './answer.ts';
import { openIsolate } from './isolate.ts';
import { respond } from './respond.ts';

// When the isolate starts, so that it takes nothing of a request's time.
const isolate = openIsolate({ ...env });

export default {
  async fetch(request, _, context) {
    const reply = await answer(isolate, request, (work) => context.waitUntil(work));
    return respond(reply, request.method === 'HEAD');
  },
} satisfies ExportedHandler;
