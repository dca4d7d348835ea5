import {
  sourceDefaults,
  toValidationError,
  type Fault,
  type PatchSource,
  type PutSource,
  type SourceRule,
  type SourceScheme,
  type SourceSettings,
} from '@sluice/protocol'
import { signingOf, toVerifyingKey } from '@sluice/protocol/webhooks'

type Rules = Pick<SourceSettings, 'event_type' | 'id' | 'handshake'>

const unnamed: Rules = { event_type: null, id: null, handshake: 'none' }

/** Where each sender says what it sends, and how its messages are known again. */
const rulesOf: Readonly<Record<SourceScheme, Rules>> = {
  'standard-webhooks': { ...unnamed, event_type: { pointer: '/type' }, id: { header: 'webhook-id' } },
  github: { ...unnamed, event_type: { header: 'x-github-event' }, id: { header: 'x-github-delivery' } },
  stripe: { ...unnamed, event_type: { pointer: '/type' }, id: { pointer: '/id' } },
  slack: { event_type: { pointer: '/event/type' }, id: { pointer: '/event_id' }, handshake: 'slack' },
  shopify: { ...unnamed, event_type: { header: 'x-shopify-topic' }, id: { header: 'x-shopify-webhook-id' } },
  esauti: { ...unnamed, event_type: { pointer: '/type' }, id: { pointer: '/external_event_id' } },
  hmac: unnamed,
  basic: unnamed,
  none: unnamed,
}

/**
 * Settings with everything that was left out.
 *
 * @throws HubError `validation-error`
 */
export function toSettings(key: string, wanted: PutSource): SourceSettings {
  const { secret: _one, secrets: _several, ...sent } = wanted
  const idHeader = wanted.hmac?.id_header
  const id: SourceRule | null = idHeader === undefined ? null : { header: idHeader }
  const settings: SourceSettings = {
    scheme: wanted.scheme,
    hmac: null,
    event_type_prefix: `${key}.`,
    max_bytes: sourceDefaults.maxBytes,
    ...rulesOf[wanted.scheme],
    ...(id && { id }),
    ...(sent as Partial<SourceSettings>), // parsed JSON holds no undefined
  }
  refuseFaults(settings)
  return settings
}

/**
 * Settings with some of them changed. Another scheme brings its own rules along.
 *
 * @throws HubError `validation-error`
 */
export function withChanges(settings: SourceSettings, change: PatchSource): SourceSettings {
  const { secret: _one, secrets: _several, overlap_seconds: _overlap, ...sent } = change
  const { scheme = settings.scheme } = sent
  const rules = scheme === settings.scheme ? {} : { ...rulesOf[scheme], hmac: null }
  const changed = { ...settings, ...rules, ...(sent as Partial<SourceSettings>) } // parsed JSON holds no undefined
  refuseFaults(changed)
  return changed
}

function refuseFaults({ scheme, hmac }: SourceSettings): void {
  if (scheme === 'hmac' && !hmac)
    throw toValidationError([{ pointer: '/hmac', detail: 'is missing: scheme "hmac" takes it' }])
  if (scheme !== 'hmac' && hmac) throw toValidationError([{ pointer: '/hmac', detail: 'is for scheme "hmac" alone' }])
}

/** The secrets of a request, as it has them; undefined if it has none. */
export function secretsIn({ secret, secrets }: Pick<PatchSource, 'secret' | 'secrets'>): readonly string[] | undefined {
  return secrets ?? (secret === undefined ? undefined : [secret])
}

/** @throws HubError `validation-error` for secrets that can never verify anything; their texts stay out of it */
export function checkSecrets({ scheme, hmac }: SourceSettings, secrets: readonly string[]): void {
  const faults = secrets.flatMap((text, index): Fault[] => {
    const detail = findSecretFault({ scheme, hmac }, text)
    return detail === undefined ? [] : [{ pointer: `/secrets/${index}`, detail }]
  })
  if (scheme !== 'none' && secrets.length === 0)
    faults.push({ pointer: '/secret', detail: `is missing: scheme "${scheme}" verifies with one` })
  if (faults.length > 0) throw toValidationError(faults)
}

function findSecretFault({ scheme, hmac }: Pick<SourceSettings, 'scheme' | 'hmac'>, text: string): string | undefined {
  if (scheme === 'none') return 'scheme "none" verifies nothing and takes no secret'
  if (scheme === 'basic') return /^[^:]+:/.test(text) ? undefined : 'must be user:password'
  const signing = signingOf(scheme, hmac)
  if (!signing || toVerifyingKey(signing, text)) return undefined
  if (scheme === 'standard-webhooks')
    return 'must be whsec_ and base64, or whpk_ and the 32 bytes of a public key in base64; a private key (whsk_) stays with the sender'
  return `must be ${signing.secretFrom}, as secret_encoding says`
}
