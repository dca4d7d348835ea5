import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createAdmin, type Admin } from '@sluice/client/admin'
import { chromium, type Browser, type Page } from 'playwright-core'
import { useHub } from '../../scripts/use-hub.ts'
import { buildConsole } from './build.ts'

/** The console as it is now, in a browser, for one test file. */
export type TestConsole = {
  /** for the `skip` of each test: false, or what is missing */
  readonly skip: string | false
  readonly url: string
  readonly apiKey: string
  readonly admin: Admin
  /** A window of its own, without cookies; it is closed when the test is over. What goes wrong in it is in `faults`. */
  readonly open: (look?: Look) => Promise<Window>
  /** The same, signed in, at an address below the console. @param key the administrator's unless given */
  readonly signIn: (path?: string, look?: Look & { readonly key?: string }) => Promise<Window>
}

type Look = { readonly width?: number; readonly theme?: 'light' | 'dark' }

type Window = {
  readonly page: Page
  /** what the page threw, and what its policy refused */
  readonly faults: readonly string[]
} & AsyncDisposable

const found = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) => {
  const { stdout, status } = spawnSync('which', [name], { encoding: 'utf8' })
  return status === 0 ? [stdout.trim()] : []
})

/** Builds the console, starts a hub and a browser; all of it goes after the last test of the file that calls this at its top. */
export async function useConsole(options: Parameters<typeof useHub>[0] = {}): Promise<TestConsole> {
  const [executablePath] = found
  const folder = await mkdtemp(join(tmpdir(), 'sluice-console-'))
  after(() => rm(folder, { recursive: true }))
  if (executablePath !== undefined) await buildConsole(folder)
  const { connection } = await useHub({ console: folder, ...options })
  let browser: Browser | undefined
  after(() => browser?.close())

  const open: TestConsole['open'] = async ({ width = 1440, theme = 'light' } = {}) => {
    browser ??= await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme: theme,
      reducedMotion: 'reduce',
    })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) faults.push(message.text())
    })
    return { page, faults, [Symbol.asyncDispose]: () => context.close() }
  }
  return {
    skip: executablePath === undefined && 'chromium is not installed',
    url: `${connection.baseUrl}/console/`,
    apiKey: connection.apiKey,
    admin: createAdmin(connection),
    open,
    signIn: async (path = '', { key = connection.apiKey, ...look } = {}) => {
      const window = await open(look)
      await window.page.goto(`${connection.baseUrl}/console/${path}`)
      await window.page.fill('#key', key)
      await window.page.press('#key', 'Enter')
      await window.page.waitForSelector('.shell h1')
      return window
    },
  }
}
