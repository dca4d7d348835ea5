import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { verifyWebhook, webhookSchemes, type HmacSigning, type WebhookScheme } from '@sluice/client/webhooks'
import { createOutbound } from '@sluice/sdk/outbound'
import { Option, type Command } from 'commander'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { readJsonObject, readSecret, several, wholeNumber, withJson, type JsonOption } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'
import { caseNames, checkReceiver } from '../webhooks/check.ts'
import { parseHead } from '../webhooks/parse-head.ts'

type Signed = JsonOption & {
  readonly scheme: WebhookScheme
  readonly secret: readonly string[]
  readonly hmac?: string
}

/** What both need to know of a signature. */
function withSigning(command: Command): Command {
  return withJson(command)
    .addOption(new Option('--scheme <scheme>', 'who signs').choices(webhookSchemes).default('standard-webhooks'))
    .requiredOption(
      '--secret <text>',
      'as the sender shows it, @FILE, or - for stdin; may be given several times',
      several,
    )
    .option('--hmac <json>', 'for scheme hmac: an object, or @FILE')
}

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').summary('tools for those who receive webhooks')
  addVerify(webhooks)
  addCheck(webhooks)
}

type VerifyOptions = Signed & {
  readonly headers: string
  readonly body: string
  readonly oldSecret?: readonly string[]
  readonly at?: string
  readonly target?: string
  readonly method?: string
}

function addVerify(webhooks: Command): void {
  withSigning(webhooks.command('verify'))
    .description('Verifies a webhook from files, and says why it is refused. Exit code 1 if it is.')
    .requiredOption('--headers <file>', 'its fields: a line each, as curl -i shows them, or a JSON object')
    .requiredOption('--body <file>', 'its body, byte for byte as it was received')
    .option('--old-secret <text>', 'that counts no more: says whether the sender still uses it', several)
    .option('--at <time>', 'when it was received, as 2026-12-31T23:59:59Z; default now')
    .option('--target <path>', 'path and query that it was sent to, or the whole address, for schemes that sign it')
    .option('--method <method>', 'default POST')
    .addHelpText(
      'after',
      '\nExample: sluice webhooks verify --scheme github --secret @secret.txt --headers head.txt --body body.json',
    )
    .action(async (options: VerifyOptions) => {
      const ended = await verifyWebhook(
        {
          headers: parseHead(readBytes(options.headers).toString('latin1')),
          body: readBytes(options.body),
          url: options.target,
          method: options.method,
        },
        options.secret.map((text) => readSecret('--secret', text)),
        {
          scheme: options.scheme,
          hmac: toHmac(options),
          explain: true,
          oldSecrets: options.oldSecret,
          now: toNow(options.at),
        },
      )
      const output = createOutput(options)
      if (ended.verified) {
        const { id, signedAt } = ended
        output.result(
          { verified: true, id, signed_at: signedAt },
          `It is verified.${id === null ? '' : ` Its id is ${id}.`}`,
        )
        return
      }
      output.result(
        ended,
        `It is refused.\n${toLines({ reason: ended.reason, cause: ended.cause, advice: ended.advice })}`,
      )
      process.exitCode = exitCodes.failed
    })
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw usage(`cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function toNow(text: string | undefined): () => number {
  const ms = text === undefined ? Date.now() : Date.parse(text)
  if (Number.isNaN(ms)) throw usage('--at must be a time, as 2026-12-31T23:59:59Z')
  return () => ms
}

// Whoever verifies with it says what is wrong with it.
const toHmac = ({ hmac }: Signed): HmacSigning | undefined =>
  hmac === undefined ? undefined : (readJsonObject(hmac, '--hmac') as HmacSigning)

type CheckOptions = Signed & {
  readonly only?: readonly string[]
  readonly allowCidr?: readonly string[]
  readonly timeout: number
  readonly slow: number
  readonly hugeBytes: number
}

function addCheck(webhooks: Command): void {
  withSigning(webhooks.command('check'))
    .description(
      'Sends a receiver good, bad, stale, repeated, reordered, slow and huge webhooks, and reports what it did. Exit code 1 if it fails.',
    )
    .argument('<url>', 'of a receiver of your own: it gets about thirty messages')
    .option('--only <case>', `one of ${caseNames.join(', ')}; may be given several times`, several)
    .option(
      '--allow-cidr <cidr>',
      'private network that may be reached, as 127.0.0.0/8; may be given several times',
      several,
    )
    .option('--timeout <seconds>', 'for each answer', wholeNumber(1, 600), 15)
    .option('--slow <seconds>', 'that the slow body takes', wholeNumber(0, 600), 3)
    .option('--huge-bytes <n>', 'of the huge body', wholeNumber(1, 1_000_000_000), 20_000_000)
    .addHelpText(
      'after',
      '\nExample: sluice webhooks check http://127.0.0.1:3000/hook --secret @secret.txt --allow-cidr 127.0.0.0/8',
    )
    .action(async (address: string, options: CheckOptions) => {
      const report = await check(address, options)
      const rows = report.cases.map(({ name, verdict, status, ms, detail }) => [name, verdict, status, ms, detail])
      const words = `${toTable(['CASE', 'VERDICT', 'STATUS', 'MS', 'DETAIL'], rows)}\n\n${report.passed} passed, ${report.warned} warned, ${report.failed} failed`
      createOutput(options).result(report, words)
      process.exitCode = report.failed > 0 ? exitCodes.failed : exitCodes.done
    })
}

async function check(address: string, options: CheckOptions) {
  const { scheme, only, allowCidr, timeout, slow, hugeBytes } = options
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol))
    throw usage(`${address} is no address; it must be like https://example.com/hook`)
  const unknown = only?.find((name) => !caseNames.includes(name))
  if (unknown !== undefined) throw usage(`there is no case "${unknown}"; there are ${caseNames.join(', ')}`)
  const outbound = createOutbound({ allowCidr })
  try {
    const target = { url, scheme, hmac: toHmac(options), secret: readSecret('--secret', options.secret[0] ?? '') }
    const ways = {
      outbound,
      timeoutMs: timeout * 1000,
      slowMs: slow * 1000,
      hugeBytes,
      now: Date.now,
      newId: randomUUID,
    }
    const report = await checkReceiver(target, ways, only)
    if (!('unreachable' in report)) return report
    throw new CommandError(
      report.isRefused ? exitCodes.refused : exitCodes.unreachable,
      `cannot reach ${url.origin}: ${report.unreachable}`,
    )
  } finally {
    await outbound.close()
  }
}
