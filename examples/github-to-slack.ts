import { createAdmin } from '@sluice/client/admin'
import { startGithub } from '@sluice/github/testing'
import { startSlack } from '@sluice/slack/testing'

// "When an issue is opened, say it in Slack": a polling trigger finds issues, each becomes an event, and an inbox runs an action for
// it. One PUT each, and the hub does the rest: sluice start --integrations integrations --allow-cidr 127.0.0.0/8. GitHub and Slack are
// small ones in this process; with tokens of your own, leave base_url out.
const admin = createAdmin({ baseUrl: process.env.SLUICE_URL, apiKey: process.env.SLUICE_API_KEY })
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

github.put({ number: 1, title: 'The shop is closed' })
github.put({
  number: 2,
  title: 'Prices are missing',
  created_at: '2026-03-01T12:05:00Z',
  updated_at: '2026-03-01T12:05:00Z',
})

await admin.putInbox(name, {
  filter: { event_types: ['github.new_issue'] },
  action: {
    integration: 'slack',
    action: 'post_message',
    connection: to.key,
    inputs: { channel: '#issues', text: "='#' & payload.number & ' ' & payload.title" },
  },
})
// Its first poll is at once.
await admin.putTrigger(name, {
  integration: 'github',
  polling_trigger: 'new_issue',
  connection: from.key,
  inputs: { owner: 'acme', repo: 'shop' },
  first_poll: 'emit',
})

await messages(2)
console.log(
  slack.messages
    .map(({ text }) => `in Slack: ${text}`)
    .toSorted()
    .join('\n'),
)

/** Resolves when Slack has heard so many. */
async function messages(count: number): Promise<void> {
  const end = Date.now() + 30_000
  while (slack.messages.length < count) {
    if (Date.now() > end) throw new Error(`Slack has heard ${slack.messages.length} of ${count} messages`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

await admin.deleteTrigger(name)
await admin.deleteInbox(name)
await admin.deleteConnection(from.key)
await admin.deleteConnection(to.key)
