import { readFileSync, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import { HubError } from '@sluice/protocol'
import type { Handlers } from './call.ts'
import type { HubRequest, HubResponse } from './exchange.ts'
import { page } from './html.ts'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing but its own files, and no script or style in the page itself: what a publisher writes cannot become code. */
const pageFields: HubResponse['headers'] = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-frame-options': 'DENY',
  'cache-control': 'no-cache',
}

const fileFields: HubResponse['headers'] = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** A file, and what the build made of it in fewer bytes, by the name of its encoding. */
type ConsoleFile = { readonly type: string; readonly plain: Buffer; readonly packed: ReadonlyMap<string, Buffer> }

const encodings = { br: '.br', gzip: '.gz' } as const

/** Where browsers find the console. @param publicUrl a proxy may serve the hub under a path of its own */
export function toConsolePath(publicUrl: string | undefined): string {
  const prefix = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')
  return `${prefix}/console/`
}

/** The files are read with the first request: a hub that nobody looks at holds none of them. @param folder as built */
export function consoleHandlers(folder: string, publicUrl: string | undefined): Pick<Handlers, 'getConsole'> {
  let files: ReadonlyMap<string, ConsoleFile> | undefined
  const base = toConsolePath(publicUrl)
  return {
    getConsole: ({ request }) => {
      // One that is built while the hub runs is there with the next request.
      files ??= readFiles(folder)
      if (!files) return notBuilt()
      const name = request.path.slice('/console/'.length)
      const file = files.get(name)
      if (file && name !== 'index.html') return answer(file, request, { 'cache-control': immutable })
      if (name.startsWith('assets/'))
        throw new HubError('not-found', 'the console has no such file any more: load its page again')
      const start = files.get('index.html')
      return start ? answer(atBase(start, base), request, pageFields) : notBuilt()
    },
  }
}

/** Their names have a digest of what is in them. */
const immutable = 'public, max-age=31536000, immutable'

function answer(file: ConsoleFile, request: HubRequest, fields: HubResponse['headers']): HubResponse {
  const accepted = (request.header('accept-encoding') ?? '').split(',').map((part) => part.split(';')[0]?.trim())
  const encoding = Object.keys(encodings).find((name) => accepted.includes(name) && file.packed.has(name))
  const packed = encoding === undefined ? undefined : file.packed.get(encoding)
  return {
    status: 200,
    headers: {
      ...fileFields,
      ...fields,
      'content-type': file.type,
      vary: 'Accept-Encoding',
      ...(packed && encoding !== undefined && { 'content-encoding': encoding }),
    },
    body: packed ?? file.plain,
  }
}

/** The page names its files from the root on; behind a proxy that may be elsewhere. */
function atBase(file: ConsoleFile, base: string): ConsoleFile {
  if (base === '/console/') return file
  return { ...file, plain: Buffer.from(file.plain.toString().replaceAll('"/console/', `"${base}`)), packed: new Map() }
}

function readFiles(folder: string): ReadonlyMap<string, ConsoleFile> | undefined {
  const names = listFiles(folder)
  if (!names) return undefined
  const isPacked = (name: string): boolean => Object.values(encodings).some((ending) => name.endsWith(ending))
  const files = names
    .filter((name) => !isPacked(name))
    .map((name): [string, ConsoleFile] => {
      const packed = Object.entries(encodings).filter(([, ending]) => names.includes(name + ending))
      const read = (file: string): Buffer => readFileSync(join(folder, file))
      const type = types[extname(name)] ?? 'application/octet-stream'
      return [
        name,
        { type, plain: read(name), packed: new Map(packed.map(([to, ending]) => [to, read(name + ending)])) },
      ]
    })
  return new Map(files)
}

function listFiles(folder: string): string[] | undefined {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    return names.map((name) => name.slice(folder.length + 1).replaceAll('\\', '/'))
  } catch {
    return undefined
  }
}

function notBuilt(): HubResponse {
  const answered = page(
    'The console is not built',
    `<h1>The console is not built</h1><p>The hub runs; only its web page is missing. In the checkout, run</p>
<pre>npm run prepare</pre><p>and load this page again: the hub need not be started anew. <code>npm ci</code> does the same, unless it was told
<code>--ignore-scripts</code> or <code>--omit=dev</code>.</p><p><a href="/docs">API reference</a></p>`,
  )
  return { ...answered, headers: { ...answered.headers, 'cache-control': 'no-store' } }
}
