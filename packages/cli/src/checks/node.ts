import type { Check } from './check.ts'

/** bin/sluice.js has refused what is too old; a newer major may change how types are taken out of the source. */
export function checkNode(): Check {
  const { node } = process.versions
  const found = `Node.js ${node} on ${process.platform} ${process.arch}`
  if (node.startsWith('24.')) return { name: 'node', status: 'ok', found }
  return {
    name: 'node',
    status: 'warn',
    found,
    todo: 'Sluice is tested with Node.js 24; npm ci in a checkout brings it along',
  }
}
