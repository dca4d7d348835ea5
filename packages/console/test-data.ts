import type { Admin } from '@sluice/client/admin'

/** Markup that would tell of itself if it were taken for any. */
const markup = `<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>"'`

/** Something on every page, with markup in each field that somebody outside fills in. */
export async function fillHub(admin: Admin): Promise<{ readonly eventId: string; readonly quarantineId: string }> {
  await admin.putInbox('crm', {
    start: 'earliest',
    max_attempts: 1,
    owner: markup,
    filter: { event_types: ['order.*', '<*'] },
  })
  await admin.putInbox('other', { filter: { event_types: ['none'], sources: [markup] } })
  const said = { source: markup, subject: markup, correlation_id: markup, external_event_id: markup, channel: markup }
  const about = {
    identity: { id: markup },
    entity: { type: markup, id: markup },
    actor: { type: 'user', id: markup },
  } as const
  const payload = {
    [markup]: markup,
    list: [markup, 1, null, true, { deep: { deeper: [[markup]] } }],
    __proto__: null,
    url: 'javascript:alert(1)',
  }
  const { event_id: eventId } = await admin.publishEvent({
    event_type: markup,
    payload,
    metadata: { [markup]: markup },
    ...said,
    ...about,
  })
  const many = Array.from({ length: 40 }, (_, n) => ({
    event_type: 'order.created',
    source: 'shop',
    payload: { n, total: n * 3 },
  }))
  await admin.publishBatch(many)
  const { lease_id, events } = await admin.leaseEvents('crm', { limit: 3 })
  await admin.releaseEvents('crm', {
    lease_id,
    event_ids: events.slice(0, 2).map((event) => event.event_id),
    reason: markup,
  })
  await admin.putEventType('order.paid', {
    description: markup,
    category: markup,
    mode: 'quarantine',
    schema: { required: ['n'], properties: { n: { const: 1, description: markup } } },
  })
  const kept = await admin.publishEvent({ event_type: 'order.paid', payload: { [markup]: markup } })
  await admin.createKey({ user_id: markup, user_email: markup, role: 'viewer', allowed_event_types: [markup] })
  await admin.putConnection('said', { integration: 'echo', credentials: { api_key: markup } })
  await admin.putTrigger('words', { integration: 'echo', polling_trigger: 'new_word', connection: 'said' })
  await admin.runAction('echo', 'say', { inputs: { word: markup }, connection: 'said' })
  return { eventId, quarantineId: kept.quarantine_id ?? '' }
}
