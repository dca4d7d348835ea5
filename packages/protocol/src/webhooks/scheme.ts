import type { Encoding } from './bytes.ts'

/** Who signs, and how. `hmac` is anybody: `HmacSigning` says how. */
export const webhookSchemes = [
  'standard-webhooks',
  'github',
  'stripe',
  'slack',
  'shopify',
  'esauti',
  'hmac',
  'basic',
  'none',
] as const
export type WebhookScheme = (typeof webhookSchemes)[number]

export const hmacAlgorithms = ['sha1', 'sha256', 'sha384', 'sha512'] as const
export const signatureEncodings = ['hex', 'base64', 'base64url'] as const
export const secretEncodings = ['text', 'base64', 'hex'] as const

/** An HMAC that no scheme of a name describes, in the words of the wire. */
export type HmacSigning = {
  /** field with the signature; a list of several, with blanks or commas between, is looked through */
  readonly header: string
  /** what stands in front of each signature, as `sha256=`; default nothing */
  readonly prefix?: string | undefined
  /** default `sha256` */
  readonly algorithm?: (typeof hmacAlgorithms)[number] | undefined
  /** of the signature; default `hex`, in lower case */
  readonly encoding?: (typeof signatureEncodings)[number] | undefined
  /**
   * What is signed, with `{body}` and, where they are, `{timestamp}`, `{id}`, `{method}`, `{path}` (with the query) and `{url}`
   * (the public address, with path and query); default `{body}`
   */
  readonly template?: string | undefined
  /** field with the time: seconds or milliseconds since 1970, or ISO 8601. Without one nothing is ever too old */
  readonly timestamp_header?: string | undefined
  /** field with the id, for `{id}` */
  readonly id_header?: string | undefined
  /** how far the time may be off; default 300 */
  readonly tolerance_seconds?: number | undefined
  /** what the text of the secret stands for: default `text`, its bytes in UTF-8 */
  readonly secret_encoding?: (typeof secretEncodings)[number] | undefined
}

/** How one HMAC is made, for every scheme that has one. */
export type Signing = {
  readonly algorithm: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'
  readonly encoding: Encoding
  /** names that the field may have, in lower case, the usual one first */
  readonly headers: readonly string[]
  /** `one`, or a `list` of signatures; `pairs` as `t=1,v1=…`; `versions` as `v1,… v1a,…` */
  readonly form: 'one' | 'list' | 'pairs' | 'versions'
  readonly prefix: string
  readonly template: string
  readonly timestampHeaders: readonly string[]
  readonly idHeaders: readonly string[]
  /** `whsec`: base64 behind a prefix, and keys of v1a beside it */
  readonly secretFrom: 'text' | 'base64' | 'hex' | 'whsec'
  /** null: there is no time to look at */
  readonly toleranceSeconds: number | null
  /** milliseconds and ISO 8601 are times, too */
  readonly looseTime: boolean
}

export const defaultToleranceSeconds = 300

const plain: Signing = {
  algorithm: 'SHA-256',
  encoding: 'hex',
  headers: [],
  form: 'one',
  prefix: '',
  template: '{body}',
  timestampHeaders: [],
  idHeaders: [],
  secretFrom: 'text',
  toleranceSeconds: null,
  looseTime: false,
}
const timed = { ...plain, toleranceSeconds: defaultToleranceSeconds }

/** `svix-…` is what the fields were called before there was a standard, and still are by many. */
const standardFields = (name: string): string[] => [`webhook-${name}`, `svix-${name}`]

const signings = {
  'standard-webhooks': {
    ...timed,
    encoding: 'base64',
    headers: standardFields('signature'),
    form: 'versions',
    template: '{id}.{timestamp}.{body}',
    timestampHeaders: standardFields('timestamp'),
    idHeaders: standardFields('id'),
    secretFrom: 'whsec',
  },
  github: { ...plain, headers: ['x-hub-signature-256'], prefix: 'sha256=' },
  stripe: { ...timed, headers: ['stripe-signature'], form: 'pairs', template: '{timestamp}.{body}' },
  slack: {
    ...timed,
    headers: ['x-slack-signature'],
    prefix: 'v0=',
    template: 'v0:{timestamp}:{body}',
    timestampHeaders: ['x-slack-request-timestamp'],
  },
  shopify: { ...plain, encoding: 'base64', headers: ['x-shopify-hmac-sha256'] },
  esauti: {
    ...timed,
    headers: ['x-esauti-signature'],
    prefix: 'sha256=',
    template: '{method}\n{path}\n{timestamp}\n{body}',
    timestampHeaders: ['x-esauti-timestamp'],
  },
} as const satisfies Partial<Record<WebhookScheme, Signing>>

/**
 * How a scheme signs.
 *
 * @returns undefined for `basic` and `none`, which do not
 * @throws TypeError for `hmac` without its description
 */
export function signingOf(scheme: WebhookScheme, hmac?: HmacSigning | null): Signing | undefined {
  if (scheme === 'basic' || scheme === 'none') return undefined
  if (scheme !== 'hmac') return signings[scheme]
  if (!hmac) throw new TypeError('scheme "hmac" needs `hmac`: at least the header that holds the signature')
  return toSigning(hmac)
}

const algorithmOf = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const

function toSigning(hmac: HmacSigning): Signing {
  const named = (name: string | undefined): string[] => (name === undefined ? [] : [name.toLowerCase()])
  const isTimed = hmac.timestamp_header !== undefined
  return {
    ...plain,
    algorithm: algorithmOf[hmac.algorithm ?? 'sha256'],
    encoding: hmac.encoding ?? 'hex',
    headers: named(hmac.header),
    form: 'list',
    prefix: hmac.prefix ?? '',
    template: hmac.template ?? plain.template,
    timestampHeaders: named(hmac.timestamp_header),
    idHeaders: named(hmac.id_header),
    secretFrom: hmac.secret_encoding ?? 'text',
    toleranceSeconds: isTimed ? (hmac.tolerance_seconds ?? defaultToleranceSeconds) : null,
    looseTime: true,
  }
}

/** What is wrong with a description of an HMAC, by member; empty if it can be used. */
export function findHmacFaults(hmac: HmacSigning): { readonly member: keyof HmacSigning; readonly detail: string }[] {
  const template = hmac.template ?? plain.template
  const unknown = [...template.matchAll(/\{(\w+)\}/g)].find(([, name = '']) => !placeholders.has(name))
  const needs = (name: string, header: string | undefined): boolean =>
    template.includes(`{${name}}`) && header === undefined
  return [
    ...(unknown
      ? [
          {
            member: 'template',
            detail: `${unknown[0]} is unknown; there are ${[...placeholders].map((name) => `{${name}}`).join(' ')}`,
          } as const,
        ]
      : []),
    ...(template.includes('{body}')
      ? []
      : [{ member: 'template', detail: 'must hold {body}: what is not signed can be changed by anybody' } as const]),
    ...(needs('timestamp', hmac.timestamp_header)
      ? [{ member: 'timestamp_header', detail: 'is missing: the template holds {timestamp}' } as const]
      : []),
    ...(needs('id', hmac.id_header)
      ? [{ member: 'id_header', detail: 'is missing: the template holds {id}' } as const]
      : []),
    ...(hmac.timestamp_header !== undefined && !template.includes('{timestamp}')
      ? [{ member: 'template', detail: 'must hold {timestamp}: a time that is not signed proves nothing' } as const]
      : []),
  ]
}

const placeholders: ReadonlySet<string> = new Set(['body', 'timestamp', 'id', 'method', 'path', 'url'])
