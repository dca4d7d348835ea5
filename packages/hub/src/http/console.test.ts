import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openTestHub, type TestHub } from '../test-hub.ts'

const open = { key: null }
const index = '<html><link href="/console/assets/a-1.css"><script src="/console/assets/a-1.js"></script></html>'
const script = 'export const a = 1'

let folder: string
let t: TestHub

async function build(): Promise<void> {
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(folder, 'index.html'), index)
  await writeFile(join(folder, 'assets/a-1.js'), script)
  await writeFile(join(folder, 'assets/a-1.js.gz'), gzipSync(script))
}

before(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'sluice-console-')), 'dist')
  t = await openTestHub({ console: folder })
})
after(async () => {
  await t.close()
  await rm(join(folder, '..'), { recursive: true })
})

test('where it is not built, the page says how; once it is, it is served without a new start', async () => {
  const missing = await t.call('GET', '/console/', open)
  assert.match(missing.text, /npm run prepare/)
  assert.equal(missing.headers.get('cache-control'), 'no-store')
  await build()
  assert.equal((await t.call('GET', '/console/', open)).text, index)
})

test('every page of the console is the one page, which loads nothing from elsewhere and stands in no frame', async () => {
  for (const path of [
    '/console',
    '/console/',
    '/console/events/01a1-b',
    '/console/event-types/order.created',
    '/console/index.html',
  ]) {
    const { status, headers, text } = await t.call('GET', path, open)
    assert.deepEqual([status, text], [200, index], path)
    assert.equal(headers.get('cache-control'), 'no-cache')
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /require-trusted-types-for 'script'/)
    assert.ok(!policy.includes('unsafe'))
    assert.equal(headers.get('x-frame-options'), 'DENY')
  }
})

test('files with a digest in their name are kept for ever, packed as the browser likes it', async () => {
  const plain = await t.call('GET', '/console/assets/a-1.js', open)
  assert.deepEqual([plain.text, plain.headers.get('content-encoding')], [script, null])
  assert.equal(plain.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(plain.headers.get('x-content-type-options'), 'nosniff')
  const packed = await t.call('GET', '/console/assets/a-1.js', {
    ...open,
    headers: { 'accept-encoding': 'br, gzip;q=0.8' },
  })
  assert.equal(packed.headers.get('content-encoding'), 'gzip')
  assert.equal(packed.headers.get('vary'), 'Accept-Encoding')
})

test('nothing but what was built is served', async () => {
  for (const path of [
    '/console/assets/none.js',
    '/console/assets/..%2f..%2fpackage.json',
    '/console/assets/%2e%2e%2fsecret.key',
  ])
    assert.equal((await t.fail('GET', path, open)).status, 404, path)
  assert.equal((await t.call('GET', '/console/..%2fpackage.json', open)).text, index)
  assert.equal((await t.fail('POST', '/console/', open)).status, 405)
})

test('behind a proxy that serves the hub under a path, the page names its files there', async () => {
  await using behind = await openTestHub({ console: folder, publicUrl: 'https://example.org/sluice' })
  assert.match((await behind.call('GET', '/console/events', open)).text, /src="\/sluice\/console\/assets\/a-1\.js"/)
  const browser = await behind.call('GET', '/', { ...open, headers: { accept: 'text/html' } })
  assert.equal(browser.headers.get('location'), '/sluice/console/')
})
