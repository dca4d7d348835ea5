import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { before, test } from 'node:test'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { useConsole } from '../test-console.ts'
import { fillHub } from '../test-data.ts'

const integrations = new URL('../../hub/src/test-integrations', import.meta.url).pathname
const { skip, url, admin, signIn } = await useConsole({ integrations })
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let places: readonly string[] = []

before(async () => {
  if (skip) return
  const { eventId, quarantineId } = await fillHub(admin)
  places = [
    '',
    '?range=day',
    'events',
    'events?text=nothing-has-this',
    `events/${eventId}`,
    'events/01000000-0000-8000-8000-000000000000',
    'inboxes',
    'inboxes/crm',
    'inboxes/crm/dead-letters',
    'inboxes/crm/attempts',
    'inboxes/crm/settings',
    'inboxes/none',
    'event-types',
    'event-types/order.paid',
    'quarantine',
    `quarantine/${quarantineId}`,
    'integrations',
    'integrations/echo',
    'integrations/echo/runs',
    'integrations/echo/say',
    'connections',
    'connections?new=echo',
    'triggers',
    'triggers/words',
    'system',
    'keys',
    'audit',
    'nowhere',
  ]
})

/** What is loading has come. */
async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.querySelectorAll('main h1, main h2')].some((one) => one.checkVisibility()),
  )
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null)
}

async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

for (const theme of ['light', 'dark'] as const) {
  for (const width of [360, 1440]) {
    test(
      `every page in ${theme} at ${width} px: nothing runs, nothing is cut off, nobody is shut out`,
      { skip },
      async () => {
        await using window = await signIn('', { theme, width })
        const { page, faults } = window
        for (const place of places) {
          await page.goto(url + place)
          await settle(page)
          const seen = await page.evaluate(() => ({
            hacked: 'hacked' in globalThis,
            foreign: document.querySelectorAll('main img, main script, main iframe, [href^="javascript"]').length,
            tooWide: document.documentElement.scrollWidth > innerWidth,
          }))
          assert.deepEqual(seen, { hacked: false, foreign: 0, tooWide: false }, place)
          assert.deepEqual(await findBarriers(page), [], place)
        }
        assert.deepEqual(faults, [])
      },
    )
  }
}

test('the first load is less than 200 KB over the wire, and comes again from the cache', { skip }, async () => {
  await using window = await signIn()
  const { page } = window
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.clearBrowserCache')
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
  const load = async (): Promise<number> => {
    bytes = 0
    await page.reload()
    await settle(page)
    await page.waitForSelector('canvas')
    return bytes
  }
  const first = await load()
  assert.ok(first > 20_000 && first < 200 * 1024, `${first} bytes`)
  const second = await load()
  assert.ok(second < first / 3, `${second} bytes after ${first}`)
})
