import { registerHooks } from 'node:module'

/**
 * Loaded before the hub: it then commits each request alone. Nothing else changes, so that the difference is group commit
 * and nothing but group commit.
 */
const constant = 'const groupEvents = 512'

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    if (!url.endsWith('/store/sqlite/group-commit.ts')) return loaded
    const source = Buffer.from(loaded.source as Uint8Array).toString() // files are loaded as bytes
    if (!source.includes(constant))
      throw new Error(`${url} does not hold "${constant}"; change bench/preloads/commit-alone.ts`)
    return { ...loaded, source: source.replace(constant, 'const groupEvents = 1') }
  },
})
