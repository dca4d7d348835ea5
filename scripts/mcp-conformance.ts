import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startHub } from './hub-process.ts'

/**
 * Holds `/mcp` against the conformance suite of the protocol: `node scripts/mcp-conformance.ts`. The suite is fetched by npx, for
 * it brings 50 MB along. Ends with `conformance: N passed, N failed`.
 *
 * Left out, since the hub has no such things: logging, completion, sampling, elicitation, resources, prompts, images, audio and
 * embedded resources. Left out too: `server-sse-polling`, which only warns: streams are not resumed; `json-schema-2020-12`: schemas of integrations are of draft 7.
 */
const suite = '@modelcontextprotocol/conformance@0.1.16'
const scenarios = [
  'server-initialize',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-error',
  'tools-call-with-progress',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
]

const folder = mkdtempSync(join(tmpdir(), 'sluice-mcp-'))
const integrations = resolve(import.meta.dirname, '../packages/hub/src/http/mcp/test-integrations')
let failed = 0
try {
  await using hub = await startHub({
    data: join(folder, 'data'),
    env: { ...process.env, SLUICE_INTEGRATIONS: integrations },
  })
  const front = createFront(hub.url, hub.apiKey ?? '')
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const { port } = front.address() as AddressInfo // it listens on TCP
  for (const scenario of scenarios) {
    const { code, output } = await runScenario(scenario, `http://localhost:${port}/mcp`)
    console.log(`${code === 0 ? '✔' : '✖'} ${scenario}`)
    if (code === 0) continue
    failed += 1
    console.log(output.trimEnd())
  }
  front.closeAllConnections()
  front.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`conformance: ${scenarios.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** The suite cannot be given a key: this adds it, and passes on all the rest as it came. */
function createFront(url: string, apiKey: string): Server {
  return createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${apiKey}` }
    const onward = request(`${url}${incoming.url}`, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
}

async function runScenario(scenario: string, url: string): Promise<{ code: number; output: string }> {
  const args = ['--yes', suite, 'server', '--url', url, '--scenario', scenario, '--output-dir', folder]
  const child = spawn('npx', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null] // as Node says
  return { code: code ?? 1, output }
}
