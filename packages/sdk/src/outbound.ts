export { AddressRefusedError, createOutbound, type Outbound, type OutboundOptions } from './http/outbound.ts'
export { createGuardedConnect } from './http/guarded-connect.ts'
export { findNetworkFault } from './http/address.ts'
