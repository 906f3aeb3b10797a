// nginx of the lab's own: one worker, everything that it writes in one directory.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { knock, Running } from './process.ts';

/** Writes its configuration: `http` goes into the block of that name. */
export async function configureNginx(directory: string, http: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${directory};`,
  );
  // As root, nginx would give its worker to `nobody`, who may not read the lab's directories.
  const configuration = `
    ${process.getuid?.() === 0 ? 'user root root;' : ''}
    daemon off;
    worker_processes 1;
    pid ${directory}/pid;
    error_log ${directory}/error.log;
    events {}
    http {
      ${temporary.join(' ')}
      default_type application/octet-stream;
      sendfile on;
      ${http}
    }`;
  await writeFile(join(directory, 'nginx.conf'), configuration);
}

/** As it was configured in that directory; it answers at once. Ends with SIGQUIT. */
export async function startNginx(directory: string, host: string, port: number): Promise<Running> {
  const at = (name: string) => join(directory, name);
  const running = new Running('nginx', ['-p', directory, '-e', at('error.log'), '-c', at('nginx.conf')], { directory });
  await running.until('connection', () => knock(host, port));
  return running;
}
