import { createSluice } from '@sluice/client'
import { createAdmin, type RunResult } from '@sluice/client/admin'
import { startGithub } from '@sluice/github/testing'
import { startSlack } from '@sluice/slack/testing'

// "When an issue is opened, say it in Slack": a polling trigger finds issues, each becomes an event, and an inbox posts them. The
// hub runs both integrations: sluice start --integrations integrations --allow-cidr 127.0.0.0/8. GitHub and Slack are small ones in
// this process; with tokens of your own, leave base_url out.
const options = { baseUrl: process.env.SLUICE_URL, apiKey: process.env.SLUICE_API_KEY }
const sluice = createSluice(options)
const admin = createAdmin(options)
await using github = await startGithub()
await using slack = await startSlack()
slack.channels.push({ id: 'C1', name: 'issues' })

const name = `example-issues-${crypto.randomUUID().slice(0, 8)}`
const from = await admin.putConnection(`${name}-github`, {
  integration: 'github',
  credentials: { token: 'ghp_test', base_url: github.url },
})
const to = await admin.putConnection(`${name}-slack`, {
  integration: 'slack',
  credentials: { bot_token: 'xoxb-test', base_url: slack.url },
})
console.log(`from ${from.account?.username} on GitHub to ${to.account?.organization} on Slack`)

await admin.putInbox(name, { filter: { event_types: ['github.new_issue'], sources: [name] } })

// Where the last poll has ended: kept by whoever polls.
let state: unknown = null
async function poll(): Promise<number> {
  const inputs = { owner: 'acme', repo: 'shop' }
  const { records, state: next } = resultOf<{ records: Found[]; state: unknown }>(
    await admin.runPoll('github', 'new_issue', { connection: from.key, inputs, state }),
  )
  for (const { id, data } of records) {
    // The same issue is the same event, whatever happens between this line and the next poll.
    await sluice.events.send('github.new_issue', data, { source: name, idempotencyKey: `${name}-${id}` })
  }
  state = next
  return records.length
}
type Found = { readonly id: string; readonly data: Record<string, unknown> }

function resultOf<Result>({ type, result }: RunResult): Result {
  if (type === 'action' || type === 'polling_trigger') return result as Result // by the integration's output schema
  throw new Error(`${type}: ${String(result['message'])}`)
}

github.put({ number: 1, title: 'The shop is closed' })
console.log(`polled: ${await poll()} new, then ${await poll()}`)
github.put({
  number: 2,
  title: 'Prices are missing',
  created_at: '2026-03-01T12:05:00Z',
  updated_at: '2026-03-01T12:05:00Z',
})
console.log(`polled: ${await poll()} new, then ${await poll()}`)

const stop = new AbortController()
const { acked } = await sluice.inbox(name).work(
  async ({ payload }) => {
    const inputs = { channel: '#issues', text: `#${String(payload['number'])} ${String(payload['title'])}` }
    resultOf(await admin.runAction('slack', 'post_message', { connection: to.key, inputs }))
    if (slack.messages.length === 2) stop.abort()
  },
  { leaseSeconds: 30, signal: stop.signal },
)
console.log(`acknowledged ${acked}`)
console.log(
  slack.messages
    .map(({ text }) => `in Slack: ${text}`)
    .toSorted()
    .join('\n'),
)

await admin.deleteInbox(name)
await admin.deleteConnection(from.key)
await admin.deleteConnection(to.key)
