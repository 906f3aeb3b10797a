// Proxies in an environment that is set already: what is written is what counts, and all else stays.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clients } from '../../../src/core/clients/clients.ts';
import { byProxy, machine, texts } from './machines.ts';

const url = 'http://127.0.0.1:8384';
const defaults = '/etc/default/docker';
const ours = `export HTTP_PROXY='${url}'\nexport HTTPS_PROXY='${url}'\n`;

describe("a shell's file", () => {
  const written = (text: string) =>
    texts('docker', byProxy(), { version: '20.10', systemd: false, files: { [defaults]: text } })[defaults];

  test('a line with other assignments stays, and ours come behind it', () => {
    const there = 'export HTTP_PROXY="http://a" HTTPS_PROXY="http://a" NO_PROXY="10.0.0.5,registry.corp"\n';
    assert.equal(written(there), there + ours);
    assert.equal(
      written('HTTP_PROXY=http://a; export HTTP_PROXY\n'),
      `HTTP_PROXY=http://a; export HTTP_PROXY\n${ours}`,
    );
  });

  test('of two assignments the later one counts, and is replaced', () => {
    const there = "HTTP_PROXY=http://a\nexport HTTP_PROXY='http://b' # old\n#export HTTP_PROXY=http://c\n";
    assert.equal(
      written(there),
      `HTTP_PROXY=http://a\nexport HTTP_PROXY='${url}'\n#export HTTP_PROXY=http://c\nexport HTTPS_PROXY='${url}'\n`,
    );
  });

  test('one under a condition stays, and ours come behind it', () => {
    const there = 'HTTP_PROXY=http://a\nif true; then\n  export HTTP_PROXY=http://b HTTPS_PROXY=http://b\nfi\n';
    assert.equal(written(there), there + ours);
  });
});

describe('an EnvironmentFile, which counts more than a drop-in', () => {
  const file = '/etc/sysconfig/proxy';
  const unit = '/usr/lib/systemd/system/docker.service';
  const plan = (files: Readonly<Record<string, string>>) =>
    clients.docker(byProxy(), machine({ version: '20.10', files }));

  test('is refused if it sets a proxy, unless it is this one', () => {
    const named = { [unit]: `[Service]\nEnvironmentFile=-${file}\nExecStart=dockerd\n` };
    for (const value of ['http://old', '"http://old:1 2"', '']) {
      assert.throws(
        () => plan({ ...named, [file]: `NO_PROXY=a\nHTTPS_PROXY=${value}\n` }),
        /^Refusal: \/etc\/sysconfig\/proxy sets HTTPS_PROXY.*let it say:\n {2}HTTPS_PROXY=http:\/\/127/,
      );
    }
    plan({ ...named, [file]: `HTTP_PROXY=${url}\nHTTPS_PROXY="${url}"\n# HTTPS_PROXY=x\n` });
    // This unit does not name it.
    plan({ ...named, [defaults]: 'HTTPS_PROXY=http://old\n' });
  });

  test('is looked for where it usually is, if there is no unit to be found, and for other services too', () => {
    assert.throws(() => plan({ [defaults]: 'HTTPS_PROXY=http://old\n' }), /^Refusal: \/etc\/default\/docker sets/);
    const containerd = {
      '/lib/systemd/system/containerd.service.d/proxy.conf': 'EnvironmentFile=/etc/default/%N\n',
      '/etc/default/containerd': 'HTTP_PROXY=http://old\n',
    };
    assert.throws(() => clients.containerd(byProxy(), machine({ files: containerd })), /containerd sets HTTP_PROXY/);
  });
});

describe('a login for the proxy', () => {
  const folder = '/etc/systemd/system/containerd.service.d';

  test('stands in a file beside the drop-in, which names that one: systemd shows everybody what a unit says', () => {
    const written = texts('containerd', byProxy('http://alice:s%40x@proxy:8384'), {});
    assert.equal(
      written[`${folder}/sampan-proxy.env`],
      'HTTP_PROXY=http://alice:s%40x@proxy:8384\nHTTPS_PROXY=http://alice:s%40x@proxy:8384\n',
    );
    assert.equal(
      written[`${folder}/sampan-proxy.conf`],
      `# Written by sampan configure.\n[Service]\nEnvironmentFile=${folder}/sampan-proxy.env\n`,
    );
  });

  test('has no file where there is none', () => {
    const written = texts('containerd', byProxy(), {});
    assert.deepEqual(Object.keys(written), [`${folder}/sampan-proxy.conf`]);
  });
});
