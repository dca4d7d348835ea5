export { startGithub, type FakeGithub } from './testing/server.ts'
