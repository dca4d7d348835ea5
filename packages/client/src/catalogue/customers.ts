import { address, changedFields, country, language, person } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, date, flag, id, list, text, time, url } from './schema.ts'

const customer = { customer_id: id('cus_204') }
const customerAddress = { ...customer, address_id: id('adr_9') }
const organization = { organization_id: id('org_31') }
const organizationMember = { ...organization, member_id: id('cus_204') }

export const customers = defineDomain('customer', 'The people and organizations that buy, from first record to last.', {
  'customer.created': {
    description: 'A customer got a record for the first time.',
    required: { ...customer, created_at: time() },
    optional: {
      person,
      kind: choice('individual', 'business'),
      origin: choice('checkout', 'form', 'import', 'point-of-sale', 'staff', 'other'),
      organization_id: id('org_31'),
      address,
      accepts_marketing: flag(),
    },
  },
  'customer.updated': {
    description: 'Something in the record of a customer was changed.',
    required: { ...customer, changed_fields: changedFields, updated_at: time() },
    optional: { person, address, updated_by: choice('customer', 'staff', 'system') },
  },
  'customer.deleted': {
    description: 'The record of a customer was removed and will not come back.',
    required: { ...customer, deleted_at: time() },
    optional: { reason: choice('customer-request', 'duplicate', 'inactive', 'other') },
  },
  'customer.merged': {
    description: 'Two records turned out to be one customer; only the record that survives is used from now on.',
    required: { ...customer, merged_customer_ids: list(id('cus_117')), merged_at: time() },
    optional: { matched_by: choice('email', 'phone', 'external-id', 'staff') },
  },
  'customer.verified': {
    description: 'A customer proved that an e-mail address, a phone number or a document is theirs.',
    required: { ...customer, method: choice('email', 'phone', 'document'), verified_at: time() },
  },
  'customer.blocked': {
    description: 'A customer may not buy any more, until somebody allows it again.',
    required: { ...customer, reason: choice('fraud', 'debt', 'abuse', 'other'), blocked_at: time() },
    optional: { ends_at: time('2026-06-14T00:00:00Z'), note: text('Three chargebacks in one month.') },
  },
  'customer.unblocked': {
    description: 'A customer who was blocked may buy again.',
    required: { ...customer, unblocked_at: time() },
    optional: { note: text('The bank confirmed the cards.') },
  },
  'customer_address.added': {
    description: 'A customer got one more postal address.',
    required: { ...customerAddress, address },
    optional: { purpose: choice('billing', 'shipping', 'both'), is_default: flag() },
  },
  'customer_address.changed': {
    description: 'A postal address of a customer was corrected.',
    required: { ...customerAddress, address, changed_fields: changedFields },
    optional: { is_default: flag(false) },
  },
  'customer_address.removed': {
    description: 'A postal address does not belong to a customer any more.',
    required: { ...customerAddress, removed_at: time() },
  },
  'organization.created': {
    description: 'A company or other body got a record for the first time.',
    required: { ...organization, name: text('Okafor Ceramics Inc.'), created_at: time() },
    optional: {
      website_url: url('https://okafor.example/'),
      industry: text('ceramics'),
      employees: count(12),
      founded_on: date('2011-09-01'),
      country,
      language,
    },
  },
  'organization.updated': {
    description: 'Something in the record of an organization was changed.',
    required: { ...organization, changed_fields: changedFields, updated_at: time() },
    optional: { name: text('Okafor Ceramics Inc.') },
  },
  'organization.archived': {
    description: 'An organization is not worked with any more; its record is kept.',
    required: { ...organization, archived_at: time() },
    optional: { reason: choice('closed', 'acquired', 'inactive', 'duplicate', 'other') },
  },
  'organization_member.added': {
    description: 'A person was connected to an organization.',
    required: { ...organizationMember, role: text('buyer'), added_at: time() },
    optional: { is_primary_contact: flag() },
  },
  'organization_member.removed': {
    description: 'A person is not connected to an organization any more.',
    required: { ...organizationMember, removed_at: time() },
  },
})
