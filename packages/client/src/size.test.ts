import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

const { imports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const { node, ...elsewhere } = imports['#transport']

/** Every file that a page which imports `entry` loads, types taken out. */
function load(entry: URL, loaded = new Map<string, string>()): Map<string, string> {
  if (loaded.has(entry.href)) return loaded
  const code = stripTypeScriptTypes(readFileSync(entry, 'utf8'))
  loaded.set(entry.href, code)
  for (const [, specifier = ''] of code.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (specifier === '#transport') {
      load(new URL(`../${elsewhere.browser}`, import.meta.url), loaded)
      continue
    }
    assert.match(specifier, /^\.\.?\//, `${entry.pathname} loads ${specifier}, which a browser would have to load, too`)
    load(new URL(specifier, entry), loaded)
  }
  return loaded
}

for (const entry of ['index.ts', 'admin.ts']) {
  test(`${entry} loads nothing but its own files, and no Node API`, () => {
    for (const [file, code] of load(new URL(entry, import.meta.url))) {
      assert.doesNotMatch(code, /\b(process|Buffer|require|setImmediate|__dirname)\b[.(]/, file)
    }
  })
}

test('only Node loads undici', () => {
  assert.deepEqual(Object.keys(elsewhere), ['deno', 'bun', 'browser', 'workerd', 'edge-light', 'default'])
  assert.deepEqual([...new Set(Object.values(elsewhere))], ['./src/transport/global-fetch.ts'])
  assert.equal(node, './src/transport/undici.ts')
  // The first condition that holds is taken, and several runtimes call themselves node, too.
  assert.deepEqual(Object.keys(imports['#transport']).slice(-2), ['node', 'default'])
})

test('a page that publishes and consumes loads at most 15 KB gzipped', () => {
  const code = [...load(new URL('index.ts', import.meta.url)).values()].join('\n')
  // What every bundler takes out; names stay as long as they are.
  const packed = code.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/\s*\n\s*/g, '\n')
  const bytes = gzipSync(packed).byteLength
  assert.ok(bytes <= 15 * 1024, `${bytes} bytes`)
})
