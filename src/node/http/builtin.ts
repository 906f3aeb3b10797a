// Node's HTTP without Node's client: to import it by name asks for all that it exports, and that loads a `fetch` which nobody here uses.

export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
