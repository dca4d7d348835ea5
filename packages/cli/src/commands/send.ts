import type { Actor, CloudEvent, Entity, Identity } from '@sluice/protocol'
import { Option, type Command } from 'commander'
import { usage } from '../exit.ts'
import { openSluice } from '../hub.ts'
import { readJsonObject, toFutureTime, toPair, toPastTime, withHub, type HubOptions } from '../options.ts'
import { createOutput } from '../output.ts'
import { sendLines } from '../send-lines.ts'

type Options = HubOptions & {
  readonly file?: string
  readonly ndjson?: boolean
  readonly cloudevent?: string
  readonly source?: string
  readonly subject?: string
  readonly metadata?: string
  readonly identity?: string
  readonly entity?: Entity
  readonly actor?: { readonly type: string; readonly id: string }
  readonly occurredAt?: string
  readonly correlationId?: string
  readonly externalEventId?: string
  readonly channel?: string
  readonly deliverAt?: string
  readonly idempotencyKey?: string
}

export function addSend(program: Command): void {
  withHub(program.command('send'))
    .summary('publish events')
    .description('Publishes one event, or with --ndjson many: one JSON event a line, from stdin or --file.')
    .argument('[type]', 'event type, as order.created')
    .argument('[payload]', 'a JSON object, @FILE, or - for stdin; default {}')
    .option('--file <file>', 'read the payload (with --ndjson: the events) from a file')
    .option('--ndjson', 'send many events; each line is a whole event with event_type and payload')
    .option('--cloudevent <file>', 'send the CloudEvent in a file of JSON, or - for stdin; it says all by itself')
    .option('--source <source>', 'where it comes from')
    .option('--subject <subject>', 'what it is about; orders events in inboxes with --ordering key')
    .option('--metadata <json>', 'a JSON object')
    .option('--identity <json>', 'the person: {"id","email","phone","external_id"}')
    .option('--entity <type:id>', 'the thing', toPair)
    .addOption(new Option('--actor <type:id>', 'who caused it: user, service or third-party').argParser(toPair))
    .option('--occurred-at <time>', 'when it happened, or how long ago, as 5m', toPastTime)
    .option('--correlation-id <id>', 'what it belongs to')
    .option('--external-event-id <id>', 'its id where it comes from; with the source it is stored once')
    .option('--channel <channel>', 'your own customer')
    .option('--deliver-at <time>', 'when it is to be published, or in how long, as 2h', toFutureTime)
    .option('--idempotency-key <key>', 'sending it again under the same key stores it once')
    .action(async (type: string | undefined, payload: string | undefined, options: Options) => {
      if (options.cloudevent !== undefined) return sendCloudEvent(options.cloudevent, type, options)
      if (options.ndjson) return sendMany(type, options)
      if (type === undefined) throw usage('say which event type, as: sluice send order.created \'{"total":42}\'')
      await sendOne(type, payload, options)
    })
}

async function sendOne(type: string, payload: string | undefined, options: Options): Promise<void> {
  if (payload !== undefined && options.file !== undefined)
    throw usage('give the payload as an argument or as --file, not both')
  const text = options.file === undefined ? (payload ?? '{}') : `@${options.file}`
  const accepted = await openSluice(options).events.send(type, readJsonObject(text, 'the payload'), {
    source: options.source,
    subject: options.subject,
    metadata: options.metadata === undefined ? undefined : readJsonObject(options.metadata, '--metadata'),
    // Their members and values are the hub's to judge: it names every fault.
    identity: options.identity === undefined ? undefined : (readJsonObject(options.identity, '--identity') as Identity),
    entity: options.entity,
    actor: options.actor as Actor | undefined,
    occurred_at: options.occurredAt,
    correlation_id: options.correlationId,
    external_event_id: options.externalEventId,
    channel: options.channel,
    deliver_at: options.deliverAt,
    idempotencyKey: options.idempotencyKey,
  })
  const output = createOutput(options)
  for (const { message } of accepted.warnings ?? []) output.note(`warning: ${message}`)
  output.result(accepted, `${accepted.event_id} ${accepted.status}`)
}

async function sendCloudEvent(file: string, type: string | undefined, options: Options): Promise<void> {
  const { cloudevent: _file, url: _url, key: _key, json: _json, ...others } = options
  if (type !== undefined || Object.keys(others).length > 0)
    throw usage('a CloudEvent says its type, data and source itself; leave all else out')
  const event = readJsonObject(file === '-' ? file : `@${file}`, 'the CloudEvent')
  // Its attributes are the hub's to judge: it names every fault.
  const accepted = await openSluice(options).events.sendCloudEvent(event as CloudEvent)
  createOutput(options).result(accepted, `${accepted.event_id} ${accepted.status}`)
}

async function sendMany(type: string | undefined, options: Options): Promise<void> {
  if (type !== undefined) throw usage('with --ndjson every line is a whole event; leave TYPE and PAYLOAD out')
  const sluice = openSluice(options).with(options.source === undefined ? {} : { source: options.source })
  await sendLines({ sluice, file: options.file, output: createOutput(options) })
}
