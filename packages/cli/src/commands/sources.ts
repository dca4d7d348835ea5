import { ApiError } from '@sluice/client'
import type { PatchSource, PutSource, Source } from '@sluice/client/admin'
import { webhookSchemes } from '@sluice/client/webhooks'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { openAdmin, toConnection } from '../hub.ts'
import {
  readJsonObject,
  readSecret,
  several,
  wholeNumber,
  withHub,
  withPages,
  type HubOptions,
  type PageOptions,
} from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'
import { addSourceTest } from './sources-test.ts'

type PutOptions = HubOptions & {
  readonly scheme: Source['scheme']
  readonly secret?: readonly string[]
  readonly hmac?: string
  readonly type?: PutSource['event_type']
  readonly id?: PutSource['id']
  readonly prefix?: string
  readonly maxBytes?: number
  readonly handshake?: Source['handshake']
  readonly overlap?: number
}

export function addSources(program: Command): void {
  const sources = program.command('sources').summary('addresses that take webhooks from outside')
  addPut(sources)
  withPages(withHub(sources.command('list')))
    .description('Sources of the workspace.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listSources({ limit: options.limit, cursor: options.cursor })
      const rows = page.sources.map((one) => [one.key, one.scheme, one.address, one.secrets.length, one.updated_at])
      createOutput(options).page(page, toTable(['SOURCE', 'SCHEME', 'ADDRESS', 'SECRETS', 'UPDATED'], rows))
    })
  withHub(sources.command('show'))
    .description('One source, without its secrets.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => print(options, await openAdmin(options).getSource(key)))
  withHub(sources.command('delete'))
    .description('Removes a source. Its events stay.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove source ${key}? Its sender will be refused.`, options.yes)
      await openAdmin(options).deleteSource(key)
      createOutput(options).result({ key, removed: true }, `Source ${key} is removed.`)
    })
  addReport(sources)
  addSourceTest(sources)
}

function addPut(sources: Command): void {
  withHub(sources.command('put'))
    .description('Makes a source, or changes what differs.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .addOption(new Option('--scheme <scheme>', 'who signs').choices(webhookSchemes).makeOptionMandatory())
    .option('--secret <text>', 'as its sender shows it, @FILE, or - for stdin; may be given several times', several)
    .option('--overlap <seconds>', 'with new secrets: those of before count for so long', wholeNumber(0, 2_592_000))
    .option('--hmac <json>', 'for scheme hmac: an object, or @FILE')
    .option('--type <rule>', 'what the event type is made of: header:NAME, pointer:/PATH or constant:TEXT', toRule)
    .option('--id <rule>', "the sender's id of a message, by which repetitions are known; the same", toRule)
    .option('--prefix <text>', 'in front of the event type; default KEY and a dot')
    .option('--max-bytes <n>', 'of a body; default 5 MiB', wholeNumber(1, 10_485_760))
    .addOption(
      new Option('--handshake <how>', 'how its sender asks first').choices([
        'none',
        'slack',
        'cloudevents',
        'challenge',
      ]),
    )
    .addHelpText('after', '\nExample: sluice sources put github --scheme github --secret @github-secret.txt')
    .action(async (key: string, options: PutOptions) => print(options, await putOrPatch(key, options)))
}

async function putOrPatch(key: string, options: PutOptions): Promise<Source> {
  const admin = openAdmin(options)
  const wanted = toWanted(options)
  try {
    return await admin.putSource(key, wanted)
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem?.error_code !== 'source-differs') throw error
    const change: PatchSource = {
      ...wanted,
      ...(options.overlap !== undefined && { overlap_seconds: options.overlap }),
    }
    return admin.patchSource(key, change)
  }
}

function toWanted(options: PutOptions): PutSource {
  const { scheme, secret, hmac, type, id, prefix, maxBytes, handshake } = options
  return {
    scheme,
    ...(secret && { secrets: secret.map((text) => readSecret('--secret', text)) }),
    // The hub says what is wrong with it.
    ...(hmac !== undefined && { hmac: readJsonObject(hmac, '--hmac') as NonNullable<PutSource['hmac']> }),
    ...(type !== undefined && { event_type: type }),
    ...(id !== undefined && { id }),
    ...(prefix !== undefined && { event_type_prefix: prefix }),
    ...(maxBytes !== undefined && { max_bytes: maxBytes }),
    ...(handshake !== undefined && { handshake }),
  }
}

function toRule(text: string): NonNullable<PutSource['id']> {
  const [, kind, value] = /^(header|pointer|constant):(.+)$/s.exec(text) ?? []
  if (value === undefined) throw new InvalidArgumentError('It must be header:NAME, pointer:/PATH or constant:TEXT.')
  if (kind === 'header') return { header: value }
  return kind === 'pointer' ? { pointer: value } : { constant: value }
}

function print(options: HubOptions, source: Source): void {
  const { baseUrl } = toConnection(options)
  const whole = `${baseUrl.replace(/\/$/, '')}${source.address}`
  createOutput(options).result(source, toLines({ ...source, address: whole }))
}

function addReport(sources: Command): void {
  withHub(sources.command('report'))
    .description('What became of its requests, and why the last ones were refused.')
    .argument('<key>')
    .option('--hours <n>', 'so far back; default 24', wholeNumber(1, 168))
    .addHelpText('after', '\nExample: sluice sources report github --hours 1')
    .action(async (key: string, options: HubOptions & { readonly hours?: number }) => {
      const report = await openAdmin(options).getSourceReport(key, { hours: options.hours })
      const counts = Object.entries(report.total).map(([outcome, count]) => [outcome, count])
      const failures = report.failures.map(({ at, outcome, cause, reason }) => [at, outcome, cause, reason])
      const parts = [
        counts.length === 0 ? 'No requests.' : toTable(['OUTCOME', 'REQUESTS'], counts),
        ...(failures.length === 0 ? [] : [toTable(['AT', 'OUTCOME', 'CAUSE', 'REASON'], failures)]),
      ]
      createOutput(options).result(report, parts.join('\n\n'))
    })
}
