export { AddressRefusedError, createOutbound, type Outbound, type OutboundOptions } from './http/outbound.ts'
