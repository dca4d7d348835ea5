import { country } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, date, flag, id, list, text, time, url } from './schema.ts'

const subject = { contact_id: id('cus_204') }
const purpose = choice('marketing', 'analytics', 'personalization', 'profiling', 'third-party-sharing', 'other')
const consent = { consent_id: id('con_80'), ...subject, purpose }
const evidence = { notice_version: text('2026-01'), proof_url: url('https://shop.example/consents/80') }
const request = { request_id: id('dsr_5') }
const requestDetails = { contact_id: id('cus_204'), law: choice('gdpr', 'law-25', 'ccpa', 'other') }
const incident = { incident_id: id('pin_1') }

export const privacy = defineDomain('privacy', 'Consent, requests of people about their data, incidents.', {
  'consent.requested': {
    description: 'A person was asked to allow a use of their data.',
    required: { ...subject, purposes: list(purpose), requested_at: time() },
    optional: { ...evidence, channel: choice('banner', 'form', 'email', 'sms', 'phone', 'paper') },
  },
  'consent.granted': {
    description: 'A person allowed a use of their data.',
    required: {
      ...consent,
      granted_at: time(),
      method: choice('banner', 'form', 'double-opt-in', 'verbal', 'paper', 'import'),
    },
    optional: { ...evidence, kind: choice('express', 'implied'), expires_at: time('2028-03-14T00:00:00Z'), country },
  },
  'consent.refused': {
    description: 'A person was asked and did not allow a use of their data.',
    required: { ...subject, purpose, refused_at: time() },
    optional: evidence,
  },
  'consent.withdrawn': {
    description: 'A person does not allow a use of their data any more.',
    required: { ...consent, withdrawn_at: time('2026-09-01T12:00:00Z') },
    optional: {
      ...evidence,
      channel: choice('banner', 'preferences', 'unsubscribe-link', 'email', 'phone', 'staff'),
    },
  },
  'consent.expired': {
    description: 'A consent is too old to be relied on.',
    required: { ...consent, granted_at: time(), expired_at: time('2028-03-14T00:00:00Z') },
    optional: { renewal_requested: flag(false) },
  },
  'cookie_preferences.saved': {
    description: 'A visitor chose which kinds of cookies may be set.',
    required: {
      visitor_id: id('vis_5c1e'),
      necessary: flag(),
      analytics: flag(false),
      marketing: flag(false),
      saved_at: time(),
    },
    optional: { contact_id: id('cus_204'), notice_version: evidence.notice_version, country },
  },
  'privacy_notice.accepted': {
    description: 'A person confirmed that they have read a version of the privacy notice or the terms.',
    required: {
      ...subject,
      document: choice('privacy-notice', 'terms', 'data-processing-agreement'),
      version: text('2026-01'),
    },
    optional: { accepted_at: time(), url: url('https://shop.example/privacy') },
  },
  'data_request.received': {
    description: 'A person asked what is known about them, or for a change of it.',
    required: {
      ...request,
      kind: choice('access', 'portability', 'correction', 'erasure', 'restriction', 'objection'),
      due_on: date('2026-04-13'),
    },
    optional: { ...requestDetails, received_through: choice('form', 'email', 'phone', 'post'), received_at: time() },
  },
  'data_request.verified': {
    description: 'It is certain that a request about data comes from the person it is about.',
    required: { ...request, method: choice('email', 'sign-in', 'document', 'in-person'), verified_at: time() },
    optional: requestDetails,
  },
  'data_request.fulfilled': {
    description: 'What a person asked about their data was done, and they were told.',
    required: { ...request, fulfilled_at: time('2026-03-30T10:00:00Z'), systems: list(text('shop')) },
    optional: { ...requestDetails, days_taken: count(16) },
  },
  'data_request.refused': {
    description: 'What a person asked about their data will not be done, and they were told why.',
    required: { ...request, reason: choice('not-verified', 'legal-duty', 'unfounded', 'excessive', 'other') },
    optional: {
      ...requestDetails,
      explanation: text('Invoices are kept for ten years.'),
      refused_at: time('2026-03-30T10:00:00Z'),
    },
  },
  'personal_data.exported': {
    description: 'The data of a person was put together in a file for them.',
    required: {
      ...subject,
      format: choice('json', 'csv', 'pdf', 'other'),
      exported_at: time('2026-03-29T10:00:00Z'),
    },
    optional: { ...request, expires_at: time('2026-04-05T10:00:00Z'), record_count: count(312) },
  },
  'personal_data.erased': {
    description: 'The data of a person was removed from a system, or what named the person in it.',
    required: {
      ...subject,
      system: text('shop'),
      method: choice('deleted', 'anonymized'),
      erased_at: time('2026-03-29T10:00:00Z'),
    },
    optional: { ...request, record_count: count(312), kept: list(text('invoices')) },
  },
  'privacy_incident.detected': {
    description: 'Data of people was seen, changed or lost when it should not have been, or may have been.',
    required: { ...incident, severity: choice('low', 'medium', 'high', 'critical'), detected_at: time() },
    optional: {
      affected_count: count(40),
      data_kinds: list(text('email')),
      summary: text('A list went to the wrong address.'),
    },
  },
  'privacy_incident.reported': {
    description: 'The authority or the people concerned were told about an incident with data.',
    required: {
      ...incident,
      reported_to: choice('authority', 'people', 'customer', 'insurer'),
      reported_at: time('2026-03-15T18:00:00Z'),
    },
    optional: { reference: text('CAI-2026-118'), country },
  },
  'privacy_incident.closed': {
    description: 'All that an incident with data asked for was done.',
    required: { ...incident, closed_at: time('2026-05-01T10:00:00Z') },
    optional: { measures: list(text('Two people check each list.')) },
  },
})
