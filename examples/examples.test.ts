import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { problems } from '@sluice/protocol'
import { startHub, type HubProcess } from '../scripts/hub-process.ts'

const run = promisify(execFile)

describe('examples', () => {
  const data = mkdtempSync(join(tmpdir(), 'sluice-examples-'))
  let hub: HubProcess

  before(async () => {
    const integrations = fileURLToPath(new URL('../integrations', import.meta.url))
    hub = await startHub({ data, env: { SLUICE_INTEGRATIONS: integrations, SLUICE_ALLOW_CIDR: '127.0.0.0/8' } })
  })
  after(async () => {
    await hub.stop()
    rmSync(data, { recursive: true, force: true })
  })

  /** What an example prints; rejects if it fails. */
  async function runExample(file: string, command = process.execPath): Promise<string> {
    const path = fileURLToPath(new URL(file, import.meta.url))
    // Python would leave its compiled form beside the example.
    const env = { ...process.env, SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '', PYTHONDONTWRITEBYTECODE: '1' }
    const { stdout } = await run(command, [path], { env, timeout: 100_000 })
    return stdout
  }

  it('send: the same key again is the same event', async () => {
    const output = await runExample('send.ts')
    const [, id] = /^accepted: event (\S+) at \S+Z$/m.exec(output) ?? []
    assert.ok(id)
    assert.ok(output.includes(`duplicate: event ${id}, the same`), output)
    assert.match(output, /stored: .*event_type: 'user.signup'/s)
  })

  it('poll-pages: all of three pages is acknowledged', async () => {
    const output = await runExample('poll-pages.ts')
    assert.match(output, /published 120 events\nacknowledged 120 events on [3-9] pages/)
  })

  it('worker: what failed comes again, and all is done in the end', async () => {
    const output = await runExample('worker.ts')
    assert.match(output, /order\.created 7 failed: Error: the mail server is away/)
    assert.match(output, /order\.created 7, attempt 2/)
    assert.match(output, /acknowledged 20, given back 1, dead 0\n$/)
  })

  it('batch: one bad event does not take the others with it', async () => {
    const output = await runExample('batch.ts')
    assert.match(output, /event 2 refused: validation-error/)
    assert.match(output, /3 accepted, 1 refused\n/)
    assert.match(output, /2500 of 2500\n2500 accepted, 0 refused\n$/)
  })

  it('errors: each shows as what it is', async () => {
    const output = await runExample('errors.ts')
    assert.match(output, /an event with two faults: refused: .*\/event_type .*\/occurred_at/)
    assert.match(output, /an event that does not exist: 404 not-found/)
    assert.match(output, /a key that nobody made: 401 unauthorized/)
    assert.match(output, /a key that was used with another event: 422 idempotency-mismatch/)
    assert.match(output, /more requests than the key may make: too fast, new requests in \d+ s/)
    assert.match(output, /a hub that is not there: no answer after 3 attempts/)
  })

  it('triggers_client.py: the stories of the Triggers API client', async () => {
    const output = await runExample('triggers_client.py', 'python3')
    assert.match(output, /== Send an event\naccepted: /)
    assert.match(output, /12 sent, 0 failed/)
    assert.match(output, /acknowledged 13 events on \d+ pages/)
    assert.equal(output.match(/order\.created: \{'order_id': '[012]'\}/g)?.length, 3)
    assert.match(output, /an empty event type: 400 validation-error, Validation error/)
    assert.match(output, /an event that does not exist: 404 not-found/)
    assert.match(output, /a wrong key: 401 unauthorized, Invalid or missing API key/)
    assert.match(output, /a page of 500: 400 validation-error/)
    assert.match(output, /acknowledged twice, and still there: user.signup\n== Done\n$/)
  })

  it('esauti-rest: a contact comes, joins and goes', async () => {
    const output = await runExample('esauti-rest.ts')
    assert.match(output, /^0 of 0 contacts\ncontact 1: jane@esauti\.com\nin Friends\n1 known by that address\n/)
    assert.match(output, /ApiError: GET \/api\/contacts\/1 answered 404 not-found: Item was not found\.\n$/)
  })

  it('esauti-events: sent, signed, refused into a dead letter, checked before', async () => {
    const output = await runExample('esauti-events.ts')
    assert.equal(
      output,
      [
        'customer.created: accepted',
        'order.created, signed: accepted',
        'refused: /event_type must not be empty',
        'dead letter: validation-error, after 1 attempt',
        'not built: /event_type must not be empty; /identity/email must not be empty',
        '',
      ].join('\n'),
    )
  })

  it('bc-events.ts: the walk-through of sessions, line by line', async () => {
    const output = await runExample('bc-events.ts')
    assert.deepEqual(output.split('\n'), [
      'a service session: service MyService, a job of its own',
      'published, not sent: 5',
      'data of billing.InvoicePaid is refused: does not have required property "invoice_id"; /cents is less than 1',
      'flushed: 5, then 0',
      'rolled back: 1',
      'at once: accepted',
      'not sent: 1, still in the session: 1',
      'local: 0 sent, 0 left',
      '',
    ])
  })

  it('autohive: every kind of result', async () => {
    const output = await runExample('autohive.ts')
    const lines = output.trimEnd().split('\n')
    assert.deepEqual(lines.slice(0, 5), [
      'my_action: action {"data":{"asked_with":"Bearer secret-token"},"cost_usd":null}',
      'a user: action {"data":{"id":"7","email":"ada@example.com"},"cost_usd":0.05}',
      'no such user: action_error {"message":"User not found","cost_usd":0.01}',
      'too fast: action_error {"message":"too fast; try again in 30 s","cost_usd":null}',
      'a broken service: error {"message":"HTTP 500: broken","cost_usd":null}',
    ])
    assert.match(lines[5] ?? '', /^wrong inputs: validation_error .*"source":"input"/)
    assert.match(lines[6] ?? '', /^connected: connected_account \{"email":"ada@example.com","first_name":"Ada"/)
    assert.match(lines[7] ?? '', /^polled: polling_trigger .*since 2026-01-01T00:00:00Z/)
    assert.equal(lines.length, 8)
  })

  it('github-to-slack: each issue is said once', async () => {
    const output = await runExample('github-to-slack.ts')
    assert.deepEqual(output.split('\n'), [
      'from octocat on GitHub to Acme on Slack',
      'in Slack: #1 The shop is closed',
      'in Slack: #2 Prices are missing',
      '',
    ])
  })

  it('github-payloads: none lost, none left, though workers are killed', async () => {
    const output = await runExample('github-payloads.ts')
    assert.match(output, /^published 1000$/m)
    assert.equal(output.match(/one worker ended by SIGKILL, the other with 0/g)?.length, 3, output)
    assert.equal(output.match(/ 0 lost, 0 left$/gm)?.length, 3, output)
    assert.match(output, /1000 events: none lost, none left\n$/)
  })
})

describe('examples in Python', () => {
  const away = { SLUICE_URL: 'http://127.0.0.1:1', SLUICE_API_KEY: 'slk_unknown_1', SLUICE_HMAC_SECRET: 'sls_1' }
  const cases = [
    ['bc_events.py', { ...away, SLUICE_URL: '' }, /^set SLUICE_URL; /],
    ['bc_events.py', { ...away, SLUICE_API_KEY: '' }, /^set SLUICE_API_KEY; /],
    ['bc_events.py', away, /^no event was taken at http:\/\/127\.0\.0\.1:1 within 2 seconds: .*refused/],
    ['esauti_events.py', { ...away, SLUICE_HMAC_SECRET: '' }, /^set SLUICE_HMAC_SECRET; /],
    ['esauti_events.py', away, /^no answer from http:\/\/127\.0\.0\.1:1: .*refused/],
    ['triggers_client.py', { ...away, SLUICE_API_KEY: '' }, /^set SLUICE_API_KEY /],
    ['triggers_client.py', away, /^no answer from http:\/\/127\.0\.0\.1:1: .*refused/],
  ] as const
  for (const [file, env, expected] of cases)
    it(`${file}: ${String(expected)}`, async () => {
      assert.match(await lastWords(file, env), expected)
    })

  it('say in one line that the hub refuses the key', async () => {
    const data = mkdtempSync(join(tmpdir(), 'sluice-examples-'))
    try {
      await using hub = await startHub({ data })
      for (const file of ['bc_events.py', 'esauti_events.py', 'triggers_client.py'])
        assert.match(await lastWords(file, { ...away, SLUICE_URL: hub.url }), /^the hub refused the request with 401: /)
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  })

  /** The last line on stderr of an example that fails: the one that a person reads. */
  async function lastWords(file: string, env: NodeJS.ProcessEnv): Promise<string> {
    const path = fileURLToPath(new URL(file, import.meta.url))
    const options = { env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' }, timeout: 100_000 }
    const failed = await run('python3', [path], options).then(
      () => assert.fail(`${file} did not fail`),
      (error: { code: number; stderr: string }) => error,
    )
    assert.equal(failed.code, 1)
    assert.doesNotMatch(failed.stderr, /Traceback/)
    return failed.stderr.trimEnd().split('\n').at(-1) ?? ''
  }
})

describe('docs', () => {
  it('have links that lead somewhere', () => {
    const root = fileURLToPath(new URL('..', import.meta.url))
    const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8')
      const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)]
      return links
        .filter(([, path = '', anchor = '']) => !leadsSomewhere(join(root, page), path, anchor.slice(1)))
        .map(([link]) => `${page} ${link}`)
    })
    assert.deepEqual(broken, [])
  })

  it('list every error code with its status and title', () => {
    const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
    const documented = [...page.matchAll(/^\| (\d{3}) \| `([a-z-]+)` \| ([^|]+) \|/gm)].map(
      ([, status, code, title]) => {
        return `${status} ${code} ${title}`
      },
    )
    const defined = Object.entries(problems).map(([code, { status, title }]) => `${status} ${code} ${title}`)
    assert.deepEqual(documented.toSorted(), defined.toSorted())
  })
})

function leadsSomewhere(page: string, path: string, anchor: string): boolean {
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(target)) return false
  return anchor === '' || toAnchors(readFileSync(target, 'utf8')).includes(anchor)
}

/** As GitHub makes them from headings. */
function toAnchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
}
