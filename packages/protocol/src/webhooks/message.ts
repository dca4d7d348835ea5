import { join, latin1, utf8, type Bytes } from './bytes.ts'
import type { Signing } from './scheme.ts'

/** A webhook as it came. */
export type WebhookMessage = {
  /** @param name in lower case. Several of one name come as one, with commas between */
  readonly header: (name: string) => string | undefined
  /** as received, packed if it is */
  readonly body: Uint8Array
  /** in capitals; default `POST` */
  readonly method?: string | undefined
  /** path and query as the sender may have seen them, for schemes that sign them */
  readonly targets?: readonly string[] | undefined
  /** the whole address as the sender may have seen it, for schemes that sign it */
  readonly urls?: readonly string[] | undefined
}

export type WebhookHead = Pick<WebhookMessage, 'header'>

/** The first field that is there. */
export function fieldOf({ header }: WebhookHead, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = header(name)
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

/** What stands in the signature's field: signatures as bytes, and the time if it stands there, too. */
export type SignatureField = {
  /** behind their prefixes, as sent */
  readonly signatures: readonly string[]
  /** of `versions`: those of ed25519 */
  readonly publicSignatures: readonly string[]
  readonly timestamp: string | undefined
}

/** A field with more of them is no list of secrets that overlap. */
const signaturesMax = 20
/** Each of ed25519 reads the whole message again: 12 ms for 5 MiB. */
const publicSignaturesMax = 4

export function readSignatureField(signing: Signing, text: string): SignatureField {
  const { form, prefix } = signing
  if (form === 'versions') {
    const parts = text.split(' ').slice(0, signaturesMax)
    const publicSignatures = behind(parts, 'v1a,').slice(0, publicSignaturesMax)
    return { signatures: behind(parts, 'v1,'), publicSignatures, timestamp: undefined }
  }
  const parts = form === 'one' ? [text] : text.split(form === 'pairs' ? ',' : /[\s,]+/).slice(0, signaturesMax)
  if (form !== 'pairs') return { signatures: behind(parts, prefix), publicSignatures: [], timestamp: undefined }
  const pairs = parts.map((part) => part.trim())
  return { signatures: behind(pairs, 'v1='), publicSignatures: [], timestamp: behind(pairs, 't=')[0] }
}

const behind = (parts: readonly string[], prefix: string): string[] =>
  parts.filter((part) => part.startsWith(prefix)).map((part) => part.slice(prefix.length))

/** What a sender may have signed: one text for each way in which it may have seen the address. */
export type SignedParts = {
  readonly timestamp: string | undefined
  readonly id: string | undefined
}

export function toSigned(
  { template }: Pick<Signing, 'template'>,
  message: WebhookMessage,
  parts: SignedParts,
): Bytes[] {
  const { targets = [''], method = 'POST', urls = [''] } = message
  const paths = template.includes('{path}') ? targets : ['']
  const wholes = template.includes('{url}') ? urls : ['']
  const ways = paths.flatMap((path) => wholes.map((url) => ({ path, url })))
  const pieces = template.split(/(\{\w+\})/)
  return ways.map(({ path, url }) => {
    const values: Readonly<Record<string, Uint8Array>> = {
      '{body}': message.body,
      '{timestamp}': latin1(parts.timestamp ?? ''),
      '{id}': latin1(parts.id ?? ''),
      '{method}': latin1(method),
      '{path}': latin1(path),
      '{url}': utf8(url),
    }
    return join(pieces.map((piece) => values[piece] ?? utf8(piece)))
  })
}
