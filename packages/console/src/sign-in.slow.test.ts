import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { useConsole } from '../test-console.ts'

const { skip, url, apiKey, admin, open, signIn } = await useConsole()

test('somebody signs in with a key, sees what the address names, and signs out', { skip }, async () => {
  await using window = await signIn('inboxes')
  const { page, faults } = window
  assert.equal(await page.textContent('h1'), 'Inboxes')
  assert.equal(await page.title(), 'Inboxes · Sluice')
  const [cookie] = await page.context().cookies()
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.path], [true, 'Strict', '/'])
  assert.equal(await page.evaluate(() => document.cookie), '')
  assert.ok(!(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).includes(apiKey))
  await page.reload()
  await page.waitForSelector('.shell h1')
  await page.click('text=Sign out')
  await page.waitForSelector('#key')
  assert.deepEqual(await page.context().cookies(), [])
  assert.deepEqual(faults, [])
})

test('a wrong key is refused with what to do, and the field has the focus again', { skip }, async () => {
  await using window = await open()
  const { page } = window
  await page.goto(url)
  await page.fill('#key', 'slk_wrong')
  await page.press('#key', 'Enter')
  await page.waitForSelector('.field-fault:not(:empty)')
  assert.match((await page.textContent('.field-fault')) ?? '', /Invalid or missing API key/)
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'key')
})

test('a key that is revoked ends the session at the next step, without losing the place', { skip }, async () => {
  const { key_id: id, api_key: key } = await admin.createKey({ user_id: 'leaver', role: 'admin' })
  await using window = await signIn('inboxes', { key })
  await admin.revokeKey(id)
  const { page } = window
  // It is felt within a second; until then the page is asked again.
  await page.waitForFunction(() => {
    const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Refresh')
    button?.click()
    return document.querySelector('#key') !== null
  })
  assert.match((await page.textContent('.notice')) ?? '', /session has ended/)
  assert.match(page.url(), /\/console\/inboxes$/)
})

test('a viewer is shown nothing that would be refused', { skip }, async () => {
  const { api_key: key } = await admin.createKey({ user_id: 'viewer', role: 'viewer' })
  await using window = await signIn('inboxes/default', { key })
  const { page } = window
  await page.waitForSelector('.figures')
  for (const name of ['Pause', 'More…', 'New inbox'])
    assert.equal(await page.getByRole('button', { name }).count(), 0, name)
  assert.equal(await page.locator('nav a', { hasText: 'Keys' }).count(), 0)
})

test('the page cannot be framed, and a page of another port that knows the hub gets nothing', { skip }, async () => {
  await using window = await signIn()
  const { page } = window
  const hubUrl = new URL(url).origin
  const attack = `<!doctype html><iframe src="${url}"></iframe><form method="post" action="${hubUrl}/v1/inboxes/default/pause"></form>`
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(attack))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    // The same host: the browser takes it for the same site, and sends the cookie along.
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const frame = page.frames()[1]
    assert.equal(await frame?.locator('.shell').count(), 0)
    const outcomes = await page.evaluate(async (hub) => {
      const ask = (path: string, init: RequestInit) =>
        fetch(hub + path, { credentials: 'include', ...init }).then(
          (response) => (response.type === 'opaque' ? 'opaque' : String(response.status)),
          () => 'failed',
        )
      return [
        await ask('/v1/keys', {}),
        await ask('/v1/inboxes/default/pause', { method: 'POST', mode: 'no-cors', body: '' }),
        await ask('/v1/keys', { headers: { 'x-sluice-console': '1' } }),
      ]
    }, hubUrl)
    assert.deepEqual(outcomes, ['failed', 'opaque', 'failed'])
    await Promise.all([page.waitForURL(/pause/), page.evaluate(() => document.querySelector('form')?.submit())])
    assert.match(await page.content(), /forbidden/)
  } finally {
    server.closeAllConnections()
    server.close()
  }
  assert.equal((await admin.getInbox('default')).status, 'active')
})
