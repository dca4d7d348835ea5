import type { Bytes } from '@sluice/client/rest'
import type { Upload } from './shapes.ts'

/** As a browser would send it in a form, in the field `file`. */
export async function toContent({ name, content, type }: Upload): Promise<{ type: string; bytes: Bytes }> {
  const form = new FormData()
  form.set('file', new Blob([content], { type: type ?? 'application/octet-stream' }), name)
  const encoded = new Response(form)
  const bytes = new Uint8Array(await encoded.arrayBuffer())
  // Set by the platform for every form, with the boundary that it chose.
  return { type: encoded.headers.get('content-type') ?? 'multipart/form-data', bytes }
}
