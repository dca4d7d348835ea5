import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createContext, type PollRecord } from '@sluice/sdk/integration'
import github from './integration.ts'
import { startGithub, type FakeGithub } from './src/testing.ts'

let fake: FakeGithub
before(async () => {
  fake = await startGithub()
})
after(() => fake[Symbol.asyncDispose]())
beforeEach(() => {
  fake.issues.length = 0
  fake.releases.length = 0
  fake.asked.length = 0
  fake.onAsked = undefined
})

const shop = { owner: 'acme', repo: 'shop' }
const open = (token = 'ghp_test') =>
  createContext({ auth: { token, base_url: fake.url }, requestConfig: { max_retries: 0 } })
const at = (minutes: number, seconds = 0): string =>
  new Date(Date.UTC(2026, 2, 1, 12, minutes, seconds)).toISOString().replace('.000', '')

async function run(name: string, inputs: object, context = open()): Promise<Record<string, unknown>> {
  const { type, result } = await github.executeAction(name, inputs, context)
  assert.equal(type, 'action', JSON.stringify(result))
  return (result as { data: Record<string, unknown> }).data
}

async function fail(name: string, inputs: object, context = open()): Promise<string> {
  const { type, result } = await github.executeAction(name, inputs, context)
  assert.equal(type, 'action_error')
  return (result as { message: string }).message
}

async function poll(
  trigger: string,
  state: unknown,
  inputs: object = {},
): Promise<{ records: PollRecord[]; state: unknown }> {
  const { type, result } = await github.executePollingTrigger(trigger, { ...shop, ...inputs }, open(), { state })
  assert.equal(type, 'polling_trigger', JSON.stringify(result))
  return result as { records: PollRecord[]; state: unknown }
}

const idsOf = (records: readonly PollRecord[]): number[] => records.map(({ id }) => Number(id) - 1000)

describe('actions', () => {
  it('opens, reads, changes and comments on an issue', async () => {
    const made = await run('create_issue', { ...shop, title: 'Broken', labels: ['bug'] })
    assert.deepEqual([made['number'], made['title'], made['labels']], [1, 'Broken', ['bug']])
    assert.equal((await run('update_issue', { ...shop, number: 1, state: 'closed' }))['state'], 'closed')
    const comment = await run('comment_on_issue', { ...shop, number: 1, body: 'Done' })
    assert.match(String(comment['url']), /#issuecomment-5$/)
    const issue = await run('get_issue', { ...shop, number: 1 })
    assert.deepEqual([issue['state'], issue['author'], issue['is_pull_request']], ['closed', 'octocat', false])
  })

  it('lists over pages, without pull requests unless they are wanted', async () => {
    for (let number = 1; number <= 130; number += 1)
      fake.put({ number, ...(number % 10 === 0 && { pull_request: {} }) })
    const all = await run('list_issues', { ...shop, limit: 1000 })
    assert.deepEqual([(all['issues'] as unknown[]).length, all['more']], [117, false])
    const some = await run('list_issues', { ...shop, limit: 105, include_pull_requests: true })
    assert.deepEqual([(some['issues'] as unknown[]).length, some['more']], [105, true])
    const found = await run('search_issues', { query: 'issue 12', limit: 3 })
    assert.deepEqual([found['total'], (found['issues'] as unknown[]).length], [11, 3])
  })

  it('knows repositories and releases', async () => {
    assert.equal((await run('get_repository', shop))['default_branch'], 'main')
    const { repositories } = await run('list_repositories', { organization: 'acme' })
    assert.equal((repositories as unknown[]).length, 1)
    const release = await run('create_release', { ...shop, tag: 'v1.0.0', name: 'First' })
    assert.deepEqual([release['tag'], release['name']], ['v1.0.0', 'First'])
    assert.equal(((await run('list_releases', shop))['releases'] as unknown[]).length, 1)
  })

  it('says whose the token is', async () => {
    const { result } = await github.getConnectedAccount(open())
    assert.deepEqual(result, {
      email: 'octocat@github.com',
      first_name: null,
      last_name: null,
      username: 'octocat',
      user_id: '1',
      avatar_url: 'https://github.com/o.png',
      organization: 'GitHub',
    })
  })

  it('says in words what GitHub refuses', async () => {
    assert.match(
      await fail('get_issue', { ...shop, number: 9 }),
      /knows no \/repos\/acme\/shop\/issues\/9, or the token/,
    )
    assert.match(await fail('get_repository', shop, open('ghp_wrong')), /refuses the token/)
    assert.match(
      await fail('create_issue', { ...shop, title: 'bad' }),
      /422 .*Validation Failed; Issue assignees invalid/,
    )
  })

  it('names in each form of limit the seconds to wait, by the clock of GitHub', async () => {
    const reset = String(Date.parse(at(5)) / 1000)
    const spent = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }
    const secondary = { message: 'You have exceeded a secondary rate limit.' }
    fake.failNext(
      { status: 403, headers: spent },
      { status: 429, headers: spent },
      { status: 403, headers: { 'retry-after': '17' } },
    )
    fake.failNext({ status: 403, body: secondary }, { status: 429 }, { status: 403, body: { message: 'No access' } })
    const said: string[] = []
    for (let count = 0; count < 6; count += 1) said.push(await fail('get_repository', shop))
    assert.match(said[0] ?? '', /used up; try again in 300 seconds, at 2026-03-01T12:05:00/)
    assert.equal(said[1], said[0])
    assert.match(said[2] ?? '', /secondary.*in 17 seconds/)
    assert.match(said[3] ?? '', /secondary.*in 60 seconds/)
    assert.equal(said[4], said[3])
    assert.equal(said[5], 'GitHub answered 403 for /repos/acme/shop: No access')
  })

  it('asks no next page at another address', async () => {
    fake.failNext({ status: 200, body: [], headers: { link: '<http://127.0.0.2:1/x>; rel="next"' } })
    assert.match(await fail('list_releases', shop), /another address/)
  })

  it('sends the token over plain http to this machine only', async () => {
    const inputs = { auth: { token: 'ghp_test', base_url: 'http://github.example/api/v3' } }
    const { type } = await github.executeAction('get_repository', shop, createContext(inputs))
    assert.equal(type, 'validation_error')
    const secure = {
      auth: { token: 'ghp_test', base_url: 'https://127.0.0.1:1/api/v3' },
      requestConfig: { max_retries: 0 },
    }
    assert.equal((await github.executeAction('get_repository', shop, createContext(secure))).type, 'error')
  })

  it('opens no second issue after an answer that did not come', async () => {
    fake.failNext({ status: 502 })
    const context = createContext({ auth: { token: 'ghp_test', base_url: fake.url }, sleep: async () => {} })
    assert.match(await fail('create_issue', { ...shop, title: 'Once' }, context), /answered 502/)
    assert.equal(fake.asked.length, 1)
  })
})

describe('new_issue', () => {
  it('begins with those that are there, then gives each new one once, and asks for nothing when nothing is new', async () => {
    fake.put({ number: 1 })
    const first = await poll('new_issue', null)
    assert.deepEqual(idsOf(first.records), [1])
    fake.put({ number: 2, created_at: at(5), updated_at: at(5) })
    fake.put({ number: 1, updated_at: at(6), title: 'changed' })
    const second = await poll('new_issue', first.state)
    assert.deepEqual(idsOf(second.records), [2])
    const third = await poll('new_issue', second.state)
    const fourth = await poll('new_issue', third.state)
    assert.deepEqual([third.records, fourth.records], [[], []])
    assert.match(fake.asked.at(-1) ?? '', / 304$/)
  })

  it('gives an issue that becomes visible late, beside a younger one and with its very time', async () => {
    fake.put({ number: 1, created_at: at(5, 30), updated_at: at(5, 30) })
    const first = await poll('new_issue', null)
    fake.put({ number: 2, created_at: at(5, 30), updated_at: at(5, 30) })
    fake.put({ number: 3, created_at: at(5, 10), updated_at: at(5, 10) })
    const second = await poll('new_issue', first.state)
    assert.deepEqual(idsOf(second.records), [3, 2])
  })

  it('begins where it is told, and leaves out pull requests and other labels', async () => {
    fake.put({ number: 1, created_at: at(1), updated_at: at(9) })
    fake.put({ number: 2, created_at: at(5), updated_at: at(5), labels: ['bug'] })
    fake.put({ number: 3, created_at: at(6), updated_at: at(6), labels: ['bug'], pull_request: {} })
    fake.put({ number: 4, created_at: at(7), updated_at: at(7) })
    const { records } = await poll('new_issue', null, { since: '2026-03-01T14:02:00+02:00', labels: ['bug'] })
    assert.deepEqual(idsOf(records), [2])
  })

  it('finds what came to an empty repository', async () => {
    const first = await poll('new_issue', null)
    for (let number = 1; number <= 150; number += 1)
      fake.put({ number, created_at: at(number), updated_at: at(number) })
    assert.equal((await poll('new_issue', first.state)).records.length, 150)
  })
})

describe('updated_issue', () => {
  it('gives each change once, as a version, and keeps ties', async () => {
    for (let number = 1; number <= 250; number += 1) fake.put({ number, updated_at: at(10) })
    const first = await poll('updated_issue', null, { since: at(0) })
    assert.equal(first.records.length, 250)
    assert.ok(first.records.every(({ version }) => version === at(10)))
    fake.put({ number: 7, updated_at: at(10, 1) })
    const second = await poll('updated_issue', first.state)
    assert.deepEqual(
      second.records.map(({ id, version }) => [id, version]),
      [[1007, at(10, 1)]],
    )
  })

  it('loses none while issues move and vanish between its pages', async () => {
    for (let number = 1; number <= 450; number += 1) fake.put({ number, updated_at: at(number) })
    let asked = 0
    fake.onAsked = () => {
      asked += 1
      // Of those that were read already some go, so that all pages after them move up.
      if (asked === 2) fake.issues.splice(0, 60)
      if (asked === 3) fake.put({ number: 400, updated_at: at(900) })
    }
    const { records } = await poll('updated_issue', null, { since: at(0) })
    assert.equal(new Set(idsOf(records)).size, 450)
  })

  it('goes on where a poll that had too much has ended', async () => {
    for (let number = 1; number <= 1300; number += 1)
      fake.put({ number, created_at: at(number), updated_at: at(number % 7 === 0 ? 5000 + number : number) })
    let [state, found, polls]: [unknown, number[], number] = [null, [], 0]
    for (; polls < 4; polls += 1) {
      const answer = await poll('new_issue', state, { since: at(0) })
      found = [...found, ...idsOf(answer.records)]
      state = answer.state
    }
    assert.deepEqual(
      found.toSorted((left, right) => left - right),
      Array.from({ length: 1300 }, (_, index) => index + 1),
    )
  })

  it('fails with words, and its state stays with who asked', async () => {
    fake.failNext({ status: 403, headers: { 'retry-after': '9' } })
    const { type, result } = await github.executePollingTrigger('updated_issue', shop, open())
    assert.equal(type, 'error')
    assert.match((result as { message: string }).message, /try again in 9 seconds/)
    const wrong = await github.executePollingTrigger('updated_issue', { ...shop, since: 'yesterday' }, open())
    assert.match(JSON.stringify(wrong), /since is no time/)
  })
})

describe('new_release', () => {
  it('gives what is published, also a draft of long ago, once', async () => {
    fake.release({ id: 1 })
    fake.release({ id: 2, draft: true, published_at: null })
    const first = await poll('new_release', null)
    assert.deepEqual(
      first.records.map(({ id }) => id),
      [1],
    )
    const same = await poll('new_release', first.state)
    assert.match(fake.asked.at(-1) ?? '', / 304$/)
    fake.releases[0] = {
      ...fake.releases[0],
      draft: false,
      published_at: '2026-03-05T00:00:00Z',
    } as (typeof fake.releases)[0] // the one of id 2
    fake.release({ id: 3, prerelease: true, published_at: '2026-03-05T00:00:00Z' })
    const second = await poll('new_release', same.state, { include_prereleases: false })
    assert.deepEqual(
      second.records.map(({ id }) => id),
      [2],
    )
    assert.deepEqual((await poll('new_release', second.state)).records, [])
  })
})

// A pattern that is mended away would let through what it is there to refuse.
it('needs no repair of its configuration', () => assert.deepEqual(github.repairs, []))
