// Plain JavaScript: `npm ci` may run it with an older Node, and without the packages for development.
const [major, minor] = process.versions.node.split('.').map(Number)
const isAbleNode = major > 24 || (major === 24 && minor >= 15)

const isMissing = (name) => {
  try {
    import.meta.resolve(name)
    return false
  } catch {
    return true
  }
}

if (!isAbleNode || isMissing('vite')) {
  const reason = isAbleNode ? 'vite is not installed (--omit=dev?)' : `this is Node ${process.versions.node}, not 24.15`
  console.error(`The console is not built: ${reason}. The hub runs without it; "npm run prepare" builds it later.`)
} else {
  const { buildConsole } = await import('./build.ts')
  await buildConsole()
}
