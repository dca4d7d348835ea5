#!/usr/bin/env node
import module from 'node:module'
import v8 from 'node:v8'

// Plain JavaScript: an old Node must get as far as the sentence below, and it cannot read the TypeScript behind it.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 15)) {
  // Stripped and compiled once, not at each start: half the time until the hub is ready. Threads find it by the variable.
  module.enableCompileCache()
  // A hub makes much short-lived garbage: a small nursery saves a fifth of its memory, at no cost that could be measured.
  v8.setFlagsFromString('--max-semi-space-size=8')
  const folder = module.getCompileCacheDir()
  if (folder) process.env.NODE_COMPILE_CACHE ??= folder
  void import('../src/main.ts').then((main) => main.run(process.argv.slice(2)))
} else {
  console.error(
    'sluice needs Node.js 24.15 or newer and this is ' +
      process.versions.node +
      '. In a checkout run "npx sluice" or "npm start" (npm ci brings its own Node); outside of it put the ' +
      'node_modules/.bin of the checkout first in PATH, or get a Node from https://nodejs.org',
  )
  process.exitCode = 1
}
