import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { startHub, type Hub } from '@sluice/hub'

/** A hub for one test file. */
export type UsedHub = {
  readonly hub: Hub
  /** of its administrator */
  readonly connection: { readonly baseUrl: string; readonly apiKey: string }
  /** a temporary one, for what the tests write; the hub's data is in `.sluice` */
  readonly folder: string
}

/**
 * A hub on a free port for the test file that calls this at its top; hub and folder go after its last test.
 *
 * @example
 * const { connection } = await useHub()
 * const sluice = createSluice(connection)
 */
export async function useHub(options: Partial<Parameters<typeof startHub>[0]> = {}): Promise<UsedHub> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  const hub = await startHub({
    data: join(folder, '.sluice'),
    host: '127.0.0.1',
    port: 0,
    secretKeys: [new Uint8Array(32)],
    logLevel: 'silent',
    trustProxy: [],
    corsOrigins: [],
    ...options,
  })
  after(async () => {
    await hub.close()
    await rm(folder, { recursive: true })
  })
  return { hub, connection: { baseUrl: hub.url, apiKey: hub.apiKey ?? '' }, folder }
}
