export { createClock, type Clock } from './testing/clock.ts'
export { mockContext, type MockContext, type MockContextOptions } from './testing/mock-context.ts'
export {
  cut,
  drip,
  hold,
  rateLimited,
  type Answer,
  type Cut,
  type Held,
  type Reply,
  type VendorRequest,
} from './testing/reply.ts'
export { createVendor, type Vendor } from './testing/vendor.ts'
export { startOAuthProvider, type OAuthProvider, type OAuthProviderOptions } from './testing/oauth-provider.ts'
export type { ComingRequest, TokenRequest, TokenStep } from './testing/oauth/front.ts'
export type { OAuthSettings } from './testing/oauth/settings.ts'
