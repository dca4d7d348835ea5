export { startInstance, type Instance, type InstanceOptions } from './testing/instance.ts'
export type { SeenRequest, Turn } from './testing/serve.ts'
