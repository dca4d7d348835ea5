import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HubError, toValidationError } from '@sluice/protocol'
import type { HubRequest } from './exchange.ts'

const unzip = promisify(gunzip)

/** @throws HubError `unsupported-media-type` for a packing other than gzip */
export function isPacked(request: HubRequest): boolean {
  const encoding = request.header('content-encoding')
  if (encoding === undefined || encoding === 'identity') return false
  if (encoding.toLowerCase() === 'gzip') return true
  throw new HubError('unsupported-media-type', `Content-Encoding ${encoding.slice(0, 50)} is not understood; gzip is`)
}

/** @throws HubError `payload-too-large` beyond `limit` bytes, `validation-error` for a broken gzip stream */
export async function unpack(packed: Buffer, limit: number): Promise<Buffer> {
  try {
    return await unzip(packed, { maxOutputLength: limit })
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new HubError('payload-too-large', `the body unpacks to more than ${limit} bytes`, { cause })
    throw toValidationError([{ pointer: '', detail: 'the body is no valid gzip stream' }])
  }
}

/** In lower case, without parameters. @throws HubError `unsupported-media-type` if there is none, or a charset other than UTF-8 */
export function mediaTypeOf(request: HubRequest): string {
  const header = request.header('content-type')
  if (header === 'application/json') return header
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new HubError('unsupported-media-type', `${charset.slice(0, 50)} is not understood; JSON is UTF-8`)
  }
  return type.trim()
}

export function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || (mediaType.startsWith('application/') && mediaType.endsWith('+json'))
}

/** @throws HubError `unsupported-media-type` */
export function requireJson(request: HubRequest): void {
  const mediaType = mediaTypeOf(request)
  if (isJson(mediaType)) return
  throw new HubError(
    'unsupported-media-type',
    `the body must be sent as application/json, not as ${mediaType.slice(0, 100) || 'something unnamed'}`,
  )
}

/** For a field that would be ignored without a word where it seems to promise something. @throws HubError `validation-error` */
export function refuseField(request: HubRequest, name: string, why: string): void {
  if (request.header(name.toLowerCase()) !== undefined)
    throw toValidationError([{ pointer: `header.${name}`, detail: why }])
}
