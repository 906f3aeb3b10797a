// The attack table against the door and the mirror alone, where it can be seen what an attack sets off, and where time can pass.
import assert from 'node:assert/strict';
import { forgeries, patient } from '../../conformance/attack-lab.ts';
import { relayed, type Shows, type Way } from '../../conformance/attack-ways.ts';
import { allWays, describeAttacks } from '../../conformance/attacks.ts';
import { openSpied } from './spied.ts';

/** What the registry has told of it counts for a minute. */
const revokedSince: Shows = async (lab, repository) => {
  const token = await relayed('owner')(lab, repository);
  const { item, layer } = lab.secrets.find(({ name }) => repository === `acme/${name}`)!;
  for (const path of [`manifests/${item.digest}`, `blobs/${layer.digest}`]) {
    const had = await lab.ask({ method: 'HEAD', target: `/v2/${repository}/${path}` }, token);
    assert.equal(had.status, 200);
  }
  lab.hub.tokens.revoke(lab.upstreamToken(token ?? ''));
  lab.face.forward?.(60_000);
  return token;
};

// Another one before it is reached by HTTP.
const here = Object.fromEntries(Object.entries(allWays).filter(([, { behind }]) => behind === undefined));
const own = 'the registry’s own logins';
const { attackers, ...others } = here[own]!;
const overTime: Way = {
  ...others,
  attackers: { ...attackers, 'a login that had it and was revoked a minute ago': revokedSince },
};

describeAttacks('the door', (settings) => openSpied(patient(settings)), {
  ways: { ...here, [own]: overTime },
  forgeries,
});
