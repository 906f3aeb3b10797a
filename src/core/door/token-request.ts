// What a client asks of `/token` (distribution, token and OAuth2 authentication), in the words of the registry that it is for.
import { looksSecret } from '../access/secret.ts';
import { RegistryError } from '../oci/errors.ts';
import { basic, parseLogin } from '../oci/login.ts';
import { parseRepository } from '../oci/reference.ts';
import { leadingRegistry, type Routing, usualRegistry } from '../oci/route.ts';

type Fields = readonly (readonly [name: string, value: string])[];

/** A login, as a token service of a registry would be shown it. */
export type ShownLogin =
  | { readonly kind: 'header'; readonly authorization: string; readonly password: string | undefined }
  | { readonly kind: 'form'; readonly fields: Fields; readonly password: string | undefined };

export interface TokenRequest {
  /** Undefined if nothing says, and there is no usual one. */
  readonly registry: string | undefined;
  /** The login, if there is one, was given for that registry, as far as the client can tell registries apart. */
  readonly meant: boolean;
  /** `repository:library/alpine:pull`, in the registry's own names. */
  readonly scopes: readonly string[];
  readonly parameters: Fields;
  readonly login: ShownLogin | undefined;
}

export interface AskedToken {
  /** Of the query, or of the form of a POST. */
  readonly parameters: URLSearchParams;
  readonly post: boolean;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
}

const mostScopes = 32;

/** Throws 400 for a form that no client sends, 404 for the scope of a registry that is not configured. */
export function parseTokenRequest(asked: AskedToken, routing: Routing): TokenRequest {
  const { parameters, post } = asked;
  const usual = usualRegistry(asked.host, routing);
  const named = parameters.get('service')?.toLowerCase();
  // Ours has a registry's name in it; any other is what somebody made up, or what an old answer of ours said.
  const service = (named === undefined ? undefined : routing.registry(named)) ?? usual;
  const wanted = parameters.getAll('scope').flatMap((text) => text.split(' '));
  const scopes = wanted.slice(0, mostScopes).flatMap((text) => mapScope(text, service, service !== usual, routing));
  const registry = scopes[0]?.registry ?? service;
  const ours = scopes.filter((scope) => scope.registry === registry).map(({ text }) => text);
  return {
    registry,
    meant: registry === service,
    scopes: [...new Set(ours)],
    parameters: kept(parameters, post ? ['client_id', 'access_type'] : ['account', 'client_id', 'offline_token']),
    login: post ? loginOfForm(parameters) : loginOfHeader(asked.authorization),
  };
}

interface MappedScope {
  readonly registry: string;
  readonly text: string;
}

/** `type:name:actions`, where a name may begin with a host and its port. Only pulls of repositories are asked for. */
function mapScope(
  text: string,
  service: string | undefined,
  isElsewhere: boolean,
  routing: Routing,
): readonly MappedScope[] {
  const [, name, actions] = /^repository(?:\([^():]*\))?:(.+):([^:]*)$/.exec(text) ?? [];
  if (name === undefined || actions === undefined || !/^(?:.*,)?(?:pull|\*)(?:,.*)?$/.test(actions)) return [];
  const [first = '', ...others] = name.split('/');
  const components = looksSecret(first) ? others : [first, ...others];
  const leading = leadingRegistry(components, isElsewhere, routing);
  const registry = leading ?? service;
  if (registry === undefined) return [];
  const repository = parseRepository(registry, (leading === undefined ? components : components.slice(1)).join('/'));
  return [{ registry, text: `repository:${repository.name}:pull` }];
}

function kept(parameters: URLSearchParams, names: readonly string[]): Fields {
  return names.flatMap((name) => {
    const value = parameters.get(name);
    return value === null ? [] : [[name, value] as const];
  });
}

function loginOfHeader(authorization: string | undefined): ShownLogin | undefined {
  const login = parseLogin(authorization);
  if (login === undefined || login.kind !== 'basic') return undefined;
  return { kind: 'header', authorization: basic(login.user, login.password), password: login.password };
}

/** Throws 400. */
function loginOfForm(form: URLSearchParams): ShownLogin | undefined {
  const grant = form.get('grant_type');
  if (grant === 'refresh_token' && form.has('refresh_token')) {
    return { kind: 'form', fields: kept(form, ['grant_type', 'refresh_token']), password: undefined };
  }
  if (grant !== 'password') {
    const says = 'a form for a token has the grant_type password or refresh_token';
    throw new RegistryError('UNSUPPORTED', says, { status: 400 });
  }
  if (!form.get('username') && !form.get('password')) return undefined;
  return {
    kind: 'form',
    fields: kept(form, ['grant_type', 'username', 'password']),
    password: form.get('password') ?? undefined,
  };
}
