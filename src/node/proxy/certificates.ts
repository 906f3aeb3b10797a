// X.509 as interception needs it: an authority that is good for a few names alone, and leaves that it signs for these.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  NameConstraints,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** Both in PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

const hour = 3_600_000;
export const day = 24 * hour;
const authorityLives = 3650 * day;
const ecdsaWithSha256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
const [commonName, organisation] = ['2.5.4.3', '2.5.4.10'];

/** P-256, in PEM. */
export function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** `domains`: each is good for itself and all below it; nothing else is, no address either. `now` in milliseconds since 1970. */
export function makeAuthority(domains: readonly string[], now: number): KeyAndCertificate {
  // No names at all would be no constraint.
  if (domains.length === 0) throw new Error('an authority is made for the hosts of some registry');
  const key = makeKey();
  const own = createPrivateKey(key);
  const serial = newSerial();
  // A name of its own, so that one that was renewed is not taken for the one before.
  const called = `sampan authority ${Buffer.from(serial).toString('hex').slice(0, 8)}`;
  const issuer = name([organisation, 'sampan'], [commonName, called]);
  const constraints = new NameConstraints({
    permittedSubtrees: subtrees(domains.map((dNSName) => new GeneralName({ dNSName }))),
    excludedSubtrees: subtrees(['0.0.0.0/0', '::/0'].map((iPAddress) => new GeneralName({ iPAddress }))),
  });
  const certificate = signed(own, {
    serial,
    issuer,
    subject: issuer,
    publicKey: own,
    from: now - hour,
    until: now + authorityLives,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_nameConstraints, constraints, true),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(own))),
    ],
  });
  return { key, certificate };
}

/** An authority, read once for all the leaves that it signs. */
export interface Issuer {
  readonly key: KeyObject;
  readonly keyId: Uint8Array;
  readonly name: Name;
}

export function issuerOf({ key, certificate }: KeyAndCertificate): Issuer {
  const own = createPrivateKey(key);
  return { key: own, keyId: keyIdOf(own), name: parse(certificate).tbsCertificate.subject };
}

export interface LeafRequest {
  readonly host: string;
  /** The leaf's own, in PEM. */
  readonly key: string;
  /** Milliseconds since 1970, both. */
  readonly from: number;
  readonly until: number;
}

/** In PEM. The authority is not asked whether it is good for the host: its constraints make a wrong leaf worthless. */
export function issueLeaf(issuer: Issuer, { host, key, from, until }: LeafRequest): string {
  return signed(issuer.key, {
    serial: newSerial(),
    issuer: issuer.name,
    // Not the host: a common name has 64 characters at most. Clients look at the alternative name.
    subject: name([organisation, 'sampan']),
    publicKey: createPrivateKey(key),
    from,
    until,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectAltName, new SubjectAlternativeName([new GeneralName({ dNSName: host })])),
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(issuer.keyId) }),
      ),
    ],
  });
}

/** The domains that a certificate of ours, in PEM, is constrained to. */
export function domainsOf(certificate: string): readonly string[] {
  const found = parse(certificate).tbsCertificate.extensions?.find(({ extnID }) => extnID === id_ce_nameConstraints);
  if (found === undefined) return [];
  const { permittedSubtrees } = AsnConvert.parse(found.extnValue.buffer, NameConstraints);
  return Array.from(permittedSubtrees ?? []).flatMap(({ base }) => base.dNSName ?? []);
}

interface Signing {
  readonly serial: ArrayBuffer;
  readonly issuer: Name;
  readonly subject: Name;
  readonly publicKey: KeyObject;
  readonly from: number;
  readonly until: number;
  readonly extensions: readonly Extension[];
}

function signed(key: KeyObject, { serial, issuer, subject, publicKey, from, until, extensions }: Signing): string {
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serial,
    signature: ecdsaWithSha256,
    issuer,
    subject,
    validity: new Validity({ notBefore: new Date(from), notAfter: new Date(until) }),
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([...extensions]),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), key);
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: ecdsaWithSha256,
    signatureValue: new Uint8Array(signature).buffer,
  });
  const lines =
    Buffer.from(AsnConvert.serialize(certificate))
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function parse(pem: string): Certificate {
  return AsnConvert.parse(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'), Certificate);
}

function extension(extnID: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function subtrees(bases: readonly GeneralName[]): GeneralSubtrees {
  return new GeneralSubtrees(bases.map((base) => new GeneralSubtree({ base })));
}

function name(...parts: readonly (readonly [type: string, value: string])[]): Name {
  return new Name(
    parts.map(
      ([type, utf8String]) =>
        new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]),
    ),
  );
}

/** Positive, and of 16 bytes. */
function newSerial(): ArrayBuffer {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial.buffer;
}

function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** RFC 7093, section 2, method 4: of the whole SubjectPublicKeyInfo. */
function keyIdOf(key: KeyObject): Uint8Array {
  return createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20);
}
