import { randomUUID } from 'node:crypto'
import type { Admin, SourceExample } from '@sluice/client/admin'
import { createExample } from '@sluice/client/webhooks'
import type { Command } from 'commander'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { openAdmin, toConnection } from '../hub.ts'
import { readSecret, withHub, type HubOptions } from '../options.ts'
import { createOutput } from '../output.ts'

type TestOptions = HubOptions & { readonly secret?: string; readonly through?: string }

export function addSourceTest(sources: Command): void {
  withHub(sources.command('test'))
    .description('Sends what its sender would send, signed, to the address of a source. The event is stored.')
    .argument('<key>')
    .option('--secret <text>', 'sign here, with this one (text, @FILE, or - for stdin), and not in the hub')
    .option('--through <url>', 'where the sender reaches the hub, if that is another address than --url')
    .addHelpText('after', '\nExample: sluice sources test github --through https://hooks.example.com')
    .action(async (key: string, options: TestOptions) => {
      const admin = openAdmin(options)
      const base = (options.through ?? toConnection(options).baseUrl).replace(/\/$/, '')
      if (!URL.canParse(base)) throw usage('--through must be an address, as https://hooks.example.com')
      const secret = options.secret === undefined ? undefined : readSecret('--secret', options.secret)
      const example =
        secret === undefined ? await admin.createSourceExample(key) : await sign(admin, { key, base, secret })
      const { status, answer } = await post(`${base}${example.address}`, example)
      const isTaken = status >= 200 && status < 300
      const reason = status === 401 ? await findReason(admin, key) : undefined
      const said = { status, answer, ...(reason !== undefined && { reason }) }
      const words = isTaken
        ? `The source has taken it: ${answer.slice(0, 300)}`
        : `The source answered ${status}: ${reason ?? answer.slice(0, 300)}`
      createOutput(options).result(said, words)
      process.exitCode = isTaken ? exitCodes.done : exitCodes.failed
    })
}

type Signing = { readonly key: string; readonly base: string; readonly secret: string }

async function sign(admin: Admin, { key, base, secret }: Signing): Promise<SourceExample> {
  const source = await admin.getSource(key)
  const { address } = source
  const place = { target: new URL(`${base}${address}`).pathname, url: `${base}${address}` }
  try {
    return { address, ...(await createExample(source, { secret, id: randomUUID(), nowMs: Date.now(), ...place })) }
  } catch (cause) {
    throw new CommandError(exitCodes.usage, `--secret: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

async function post(url: string, { headers, body }: SourceExample): Promise<{ status: number; answer: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
    })
    return { status: response.status, answer: await response.text() }
  } catch (cause) {
    throw new CommandError(
      exitCodes.unreachable,
      `cannot reach ${url}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

/** The caller owns the source, and may know. */
async function findReason(admin: Admin, key: string): Promise<string | undefined> {
  const { failures } = await admin.getSourceReport(key)
  return failures[0]?.reason
}
