import { createSluice, type Sluice } from '@sluice/client'
import { createAdmin, type Admin } from '@sluice/client/admin'
import { readEnvironment } from './environment.ts'
import { usage } from './exit.ts'
import type { HubOptions } from './options.ts'

export const defaultUrl = 'http://127.0.0.1:8000'

type Connection = { readonly baseUrl: string; readonly apiKey: string }

/** The hub's methods by route. @throws CommandError when there is no key, or an address that is none */
export function openAdmin(options: HubOptions): Admin {
  return createAdmin(toConnection(options))
}

export function openSluice(options: HubOptions): Sluice {
  return createSluice(toConnection(options))
}

/** Where the hub is and who asks: flags, else the environment. */
export function toConnection(options: HubOptions): Connection {
  const environment = readEnvironment()
  const baseUrl = options.url ?? environment.url ?? defaultUrl
  const address = URL.parse(baseUrl)
  if (!address || !/^https?:$/.test(address.protocol))
    throw usage(`${baseUrl} is not the address of a hub; it must be like ${defaultUrl}`)
  const apiKey = options.key ?? environment.apiKey ?? decodeURIComponent(address.username)
  if (!apiKey)
    throw usage('no API key: pass --key or set SLUICE_API_KEY; make one with: sluice keys create --user-id YOU')
  return { baseUrl, apiKey }
}
