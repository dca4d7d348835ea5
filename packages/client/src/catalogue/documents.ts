import { money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, code, count, date, flag, id, list, text, time, url } from './schema.ts'

const document = { document_id: id('doc_70') }
const file = { file_id: id('fil_9') }
const contract = { contract_id: id('ctr_5') }
const contractDetails = { title: text('Supply of mugs'), organization_id: id('org_31') }
const signer = { signer_id: id('cus_204'), signer_role: text('buyer') }

export const documents = defineDomain('document', 'Files, documents and contracts.', {
  'file.uploaded': {
    description: 'A file arrived completely and was stored.',
    required: {
      ...file,
      name: text('logo.svg'),
      media_type: code('^[a-z]+/[A-Za-z0-9.+-]+$', 'image/svg+xml'),
      size_bytes: count(18_220),
    },
    optional: { uploaded_by: id('usr_12'), sha256: code('^[0-9a-f]{64}$', 'ab'.repeat(32)), uploaded_at: time() },
  },
  'file.downloaded': {
    description: 'Somebody fetched the content of a file.',
    required: { ...file, downloaded_at: time() },
    optional: { name: text('price-list.pdf'), downloaded_by: id('cus_204'), url: url('https://shop.example/files/9') },
  },
  'file.quarantined': {
    description: 'A file was locked away, because a check found something bad in it.',
    required: { ...file, finding: text('Eicar-Test-Signature'), quarantined_at: time() },
    optional: { scanner: text('clamav'), uploaded_by: id('usr_12') },
  },
  'file.deleted': {
    description: 'A file was removed from the store.',
    required: { ...file, cause: choice('user', 'retention', 'erasure', 'virus'), deleted_at: time() },
    optional: { deleted_by: id('usr_12') },
  },
  'document.created': {
    description: 'A document was begun, empty or from a template.',
    required: { ...document, title: text('Price list 2026'), created_at: time() },
    optional: { author_id: id('usr_12'), template_id: id('tpl_9'), file_id: id('fil_9') },
  },
  'document.updated': {
    description: 'A document was changed and has a new version.',
    required: { ...document, version: count(2, 1), updated_at: time() },
    optional: { editor_id: id('usr_12'), summary: text('New prices for bowls.') },
  },
  'document.shared': {
    description: 'Somebody was given access to a document.',
    required: { ...document, access: choice('view', 'comment', 'edit'), shared_with_ids: list(id('cus_204')) },
    optional: { shared_by: id('usr_12'), expires_at: time('2026-06-14T00:00:00Z') },
  },
  'document.viewed': {
    description: 'Somebody to whom a document was shown looked at it.',
    required: { ...document, viewer_id: id('cus_204'), viewed_at: time() },
    optional: { seconds: count(95), pages_seen: count(3) },
  },
  'document.archived': {
    description: 'A document was put away; it can be read and not changed.',
    required: { ...document, archived_at: time() },
    optional: { expires_on: date('2036-12-31') },
  },
  'contract.drafted': {
    description: 'The text of a contract is there; nobody has agreed to it.',
    required: { ...contract, title: text('Supply of mugs'), drafted_at: time() },
    optional: { ...contractDetails, deal_id: id('del_8'), value: money(360_000) },
  },
  'contract.sent': {
    description: 'A contract went to those who are to sign it.',
    required: { ...contract, signer_ids: list(id('cus_204')), sent_at: time() },
    optional: { ...contractDetails, due_on: date('2026-04-14') },
  },
  'contract.signed': {
    description: 'One of those who are to sign a contract signed it.',
    required: { ...contract, ...signer, signed_at: time('2026-03-20T10:00:00Z') },
    optional: { ...contractDetails, signatures_missing: count(1), method: choice('electronic', 'qualified', 'paper') },
  },
  'contract.declined': {
    description: 'One of those who are to sign a contract does not want to.',
    required: { ...contract, ...signer, declined_at: time('2026-03-20T10:00:00Z') },
    optional: { ...contractDetails, reason: text('The term is too long.') },
  },
  'contract.activated': {
    description: 'Everybody signed a contract and it holds.',
    required: { ...contract, starts_on: date('2026-04-01') },
    optional: { ...contractDetails, ends_on: date('2027-03-31'), value: money(360_000), renews_automatically: flag() },
  },
  'contract.amended': {
    description: 'Both sides agreed to change a contract that holds.',
    required: { ...contract, amendment_id: id('amd_1'), effective_on: date('2026-10-01') },
    optional: { ...contractDetails, summary: text('300 mugs instead of 200.') },
  },
  'contract.renewed': {
    description: 'A contract holds for one more term.',
    required: { ...contract, starts_on: date('2027-04-01'), ends_on: date('2028-03-31') },
    optional: { ...contractDetails, value: money(372_000) },
  },
  'contract.terminated': {
    description: 'One side ended a contract before its time.',
    required: { ...contract, terminated_by: choice('us', 'them', 'both'), effective_on: date('2026-12-31') },
    optional: { ...contractDetails, reason: text('The office closes.'), notice_given_on: date('2026-09-30') },
  },
  'contract.expired': {
    description: 'A contract reached its end and was not renewed.',
    required: { ...contract, expired_on: date('2027-03-31') },
    optional: contractDetails,
  },
})
