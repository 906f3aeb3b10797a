// Domains below which anybody can have a name, as far as we know them: such a name is never learned, for it does not say whose it is.
import { parse } from 'tldts';

/** Not all of their parts are in the list of public suffixes. */
const clouds = [
  'amazonaws.com',
  'amazonaws.com.cn',
  'cloudfront.net',
  'googleapis.com',
  'storage.googleusercontent.com',
  'windows.net',
  'core.chinacloudapi.cn',
  'vo.msecnd.net',
  'r2.cloudflarestorage.com',
  'aliyuncs.com',
  'myqcloud.com',
  'myhuaweicloud.com',
  'bcebos.com',
  'wasabisys.com',
  'backblazeb2.com',
  'oraclecloud.com',
  'b-cdn.net',
  'fastly.net',
];

/** Also what is no name below a public suffix at all: addresses, single labels, suffixes themselves, top-level domains that nobody knows. */
export function shared(host: string): boolean {
  if (clouds.some((domain) => host === domain || host.endsWith(`.${domain}`))) return true;
  const { domain, isIcann } = parse(host, { allowPrivateDomains: true });
  return domain === null || isIcann !== true;
}
