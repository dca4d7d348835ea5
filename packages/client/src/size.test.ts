import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

const { imports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const { node, ...elsewhere } = imports['#transport']

/** What comes along from other packages. */
const bundled: Readonly<Record<string, URL>> = {
  '@sluice/protocol/webhooks': new URL(import.meta.resolve('@sluice/protocol/webhooks')),
  '@cfworker/json-schema': new URL(import.meta.resolve('@cfworker/json-schema')),
}

/** Every file that a page which imports `entry` loads, types taken out. */
function load(entry: URL, loaded = new Map<string, string>()): Map<string, string> {
  if (loaded.has(entry.href)) return loaded
  const code = stripTypeScriptTypes(readFileSync(entry, 'utf8'))
  loaded.set(entry.href, code)
  for (const [, specifier = ''] of code.matchAll(/(?<!')\b(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (specifier === '#transport') {
      load(new URL(`../${elsewhere.browser}`, import.meta.url), loaded)
      continue
    }
    const packed = bundled[specifier]
    if (packed) {
      load(packed, loaded)
      continue
    }
    assert.match(specifier, /^\.\.?\//, `${entry.pathname} loads ${specifier}, which a browser would have to load, too`)
    load(new URL(specifier, entry), loaded)
  }
  return loaded
}

const entries = [
  'index.ts',
  'admin.ts',
  'topics.ts',
  'event.ts',
  'testing.ts',
  'catalogue.ts',
  'event-types.ts',
  'webhooks.ts',
]
for (const entry of entries) {
  test(`${entry} loads its own files and what they bring along, and no Node API`, () => {
    for (const [file, code] of load(new URL(entry, import.meta.url))) {
      assert.doesNotMatch(code, /\beval\(|new Function\(/, file)
      assert.doesNotMatch(code, /\b(process|Buffer|require|setImmediate|__dirname)\b[.(]/, file)
    }
  })
}

test('a page that imports only the constants of event types loads no schema', () => {
  const files = [...load(new URL('event-types.ts', import.meta.url)).keys()].map((file) => file.split('/src/')[1])
  assert.deepEqual(files, ['event-types.ts', 'catalogue/event-type.ts', 'catalogue/to-event-type.ts'])
})

test('only webhooks.ts loads anything of the protocol: what it loads is for every runtime', () => {
  for (const entry of entries.filter((one) => one !== 'webhooks.ts'))
    for (const file of load(new URL(entry, import.meta.url)).keys()) assert.ok(!file.includes('/protocol/'), file)
})

test('only Node loads undici', () => {
  assert.deepEqual(Object.keys(elsewhere), ['deno', 'bun', 'browser', 'workerd', 'edge-light', 'default'])
  assert.deepEqual([...new Set(Object.values(elsewhere))], ['./src/transport/global-fetch.ts'])
  assert.equal(node, './src/transport/undici.ts')
  // The first condition that holds is taken, and several runtimes call themselves node, too.
  assert.deepEqual(Object.keys(imports['#transport']).slice(-2), ['node', 'default'])
})

/** gzipped, without what is loaded already */
function measure(entry: string, ...loaded: readonly string[]): number {
  const files = load(new URL(entry, import.meta.url))
  for (const before of loaded) for (const file of load(new URL(before, import.meta.url)).keys()) files.delete(file)
  const code = [...files.values()].join('\n')
  // What every bundler takes out: comments, blanks, imports of what is in the same bundle. Names stay as long as they are.
  const packed = code
    .replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
    .replaceAll(/^import \{[^}]*\} from '\.[^']*'$/gm, '')
    .replaceAll(/\s*\n\s*/g, '\n')
    // Where types were.
    .replaceAll(/ {2,}/g, ' ')
  return gzipSync(packed).byteLength
}

for (const [entry, mostKb, ...loaded] of [
  ['index.ts', 15],
  ['topics.ts', 20, 'index.ts'],
  ['event-types.ts', 5],
  ['catalogue.ts', 30],
  ['webhooks.ts', 13],
] as const) {
  test(`${entry} is at most ${mostKb} KB gzipped${loaded.length > 0 ? `, beside ${loaded.join(', ')}` : ''}`, (context) => {
    const bytes = measure(entry, ...loaded)
    context.diagnostic(`${entry}: ${bytes} bytes`)
    assert.ok(bytes <= mostKb * 1024, `${bytes} bytes`)
  })
}
