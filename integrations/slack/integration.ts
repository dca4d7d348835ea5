import { ActionError, Integration } from '@sluice/sdk/integration'
import { createSlack } from './src/client.ts'

const integration = await Integration.load()

type Message = { readonly channel: string; readonly text?: string; readonly blocks?: readonly object[] }
type Posted = { readonly channel: string; readonly ts: string }

integration.action('post_message', async (inputs, context) => {
  const message = inputs as Message // checked by the schema, as below
  requireContent(message)
  const { channel, ts } = await createSlack(context).call<Posted>('chat.postMessage', { json: inputs })
  return { data: { channel, ts } }
})

integration.action('update_message', async (inputs, context) => {
  const message = inputs as Message
  requireContent(message)
  const { channel, ts } = await createSlack(context).call<Posted>('chat.update', { json: inputs })
  return { data: { channel, ts } }
})

function requireContent({ text = '', blocks = [] }: Message): void {
  if (text === '' && blocks.length === 0) throw new ActionError('a message needs text, blocks, or both')
}

type ListInputs = { readonly types?: readonly string[]; readonly include_archived?: boolean; readonly limit?: number }
type RawChannel = {
  readonly id: string
  readonly name?: string
  readonly is_private?: boolean
  readonly is_archived?: boolean
  readonly is_member?: boolean
  readonly num_members?: number
  readonly topic?: { readonly value: string }
}
type ChannelPage = {
  readonly channels: readonly RawChannel[]
  readonly response_metadata?: { readonly next_cursor?: string }
}

/** Slack recommends no more on one page. */
const pageSize = 200

integration.action('list_channels', async (inputs, context) => {
  const { types = ['public_channel'], include_archived: withArchived = false, limit = 100 } = inputs as ListInputs
  const slack = createSlack(context)
  const channels: RawChannel[] = []
  let cursor = ''
  do {
    const params = {
      types: types.join(','),
      exclude_archived: !withArchived,
      limit: Math.min(pageSize, limit),
      cursor: cursor || undefined,
    }
    const page = await slack.call<ChannelPage>('conversations.list', { params })
    channels.push(...page.channels)
    cursor = page.response_metadata?.next_cursor ?? ''
    // A page may be empty although there are others behind it.
  } while (cursor !== '' && channels.length < limit)
  return { data: { channels: channels.slice(0, limit).map(toChannel), more: cursor !== '' || channels.length > limit } }
})

const toChannel = (channel: RawChannel) => ({
  id: channel.id,
  name: channel.name ?? null,
  is_private: channel.is_private ?? false,
  is_archived: channel.is_archived ?? false,
  is_member: channel.is_member ?? false,
  members: channel.num_members ?? null,
  topic: channel.topic?.value ?? '',
})

type Identity = { readonly user: string; readonly user_id: string; readonly team: string }

integration.connectedAccount(async (context) => {
  const { user, user_id, team } = await createSlack(context).call<Identity>('auth.test', { json: {} })
  return { username: user, user_id, organization: team }
})

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
