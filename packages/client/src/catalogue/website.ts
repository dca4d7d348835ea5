import { device, visit, visitDetails } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, flag, id, list, object, percent, text, time, url } from './schema.ts'

const page = { page_id: id('pag_home') }
const landingPage = { landing_page_id: id('lpg_6') }
const session = { session_id: id('ses_88') }
const form = { form_id: id('frm_contact') }
const formDetails = { visitor_id: visit.visitor_id, url: visit.url, form_name: text('Contact us') }
const video = { video_id: id('vid_3') }

export const website = defineDomain('website', 'What visitors do on pages: views, sessions, forms, searches.', {
  'page.published': {
    description: 'A page of the site can be seen from now on, or in a new version.',
    required: { ...page, url: visit.url, published_at: time() },
    optional: { title: text('Mugs'), version: count(3, 1), published_by: id('usr_12') },
  },
  'page.viewed': {
    description: 'A visitor loaded a page.',
    required: { ...visit, viewed_at: time() },
    optional: { ...visitDetails, page_id: id('pag_home'), title: text('Mugs'), load_ms: count(840) },
  },
  'page.left': {
    description: 'A visitor closed a page or went on to another.',
    required: { ...visit, seconds_on_page: count(48) },
    optional: { session_id: id('ses_88'), scrolled_percent: percent(75), next_url: url('https://shop.example/cart') },
  },
  'link.clicked': {
    description: 'A visitor followed a link that is counted.',
    required: { ...visit, target_url: url('https://shop.example/spring') },
    optional: { session_id: id('ses_88'), label: text('See all mugs'), is_external: flag(false), clicked_at: time() },
  },
  'landing_page.published': {
    description: 'A page made for a campaign can be seen from now on.',
    required: { ...landingPage, url: url('https://shop.example/spring'), published_at: time() },
    optional: { campaign_id: id('cmp_12'), variants: list(text('red-button')) },
  },
  'landing_page.viewed': {
    description: 'A visitor came to a page made for a campaign.',
    required: { ...landingPage, ...visit },
    optional: { ...visitDetails, variant: text('red-button'), viewed_at: time() },
  },
  'landing_page.converted': {
    description: 'A visitor did what a landing page is for.',
    required: {
      ...landingPage,
      visitor_id: visit.visitor_id,
      goal: choice('form', 'order', 'sign-up', 'download', 'call'),
    },
    optional: { variant: text('red-button'), form_submission_id: id('sbm_77'), converted_at: time() },
  },
  'session.started': {
    description: 'A visitor came to the site, after a time without a sign.',
    required: { ...session, ...visit, started_at: time() },
    optional: { referrer_url: visitDetails.referrer_url, device, utm: visitDetails.utm, is_returning: flag() },
  },
  'session.identified': {
    description: 'It became known which contact the visitor of a session is.',
    required: { ...session, visitor_id: visit.visitor_id, contact_id: id('cus_204') },
    optional: { method: choice('sign-in', 'form', 'email-link', 'order'), identified_at: time() },
  },
  'session.ended': {
    description: 'A visitor left the site or gave no sign for a time.',
    required: { ...session, page_views: count(6, 1), duration_seconds: count(412) },
    optional: { visitor_id: visit.visitor_id, exit_url: url('https://shop.example/help'), ended_at: time() },
  },
  'form.viewed': {
    description: 'A form was in sight of a visitor.',
    required: { ...form, ...visit },
    optional: { form_name: text('Contact us'), viewed_at: time() },
  },
  'form.started': {
    description: 'A visitor filled in the first field of a form.',
    required: { ...form, visitor_id: visit.visitor_id, first_field: text('email') },
    optional: { url: visit.url, form_name: text('Contact us'), started_at: time() },
  },
  'form.submitted': {
    description: 'A visitor sent a form that was filled in as it should be.',
    required: {
      ...form,
      submission_id: id('sbm_77'),
      fields: list(object({ name: id('topic'), value: text('wholesale') })),
      submitted_at: time(),
    },
    optional: { ...formDetails, ...visitDetails, contact_id: id('cus_204') },
  },
  'form.rejected': {
    description: 'A visitor sent a form that was not accepted, because of what was in it.',
    required: { ...form, reason: choice('invalid', 'spam', 'duplicate', 'closed') },
    optional: { ...formDetails, faulty_fields: list(id('email')), rejected_at: time() },
  },
  'form.abandoned': {
    description: 'A visitor began to fill in a form and left without sending it.',
    required: { ...form, visitor_id: visit.visitor_id, last_field: text('phone') },
    optional: { url: visit.url, filled_fields: count(2), abandoned_at: time() },
  },
  'search.performed': {
    description: 'A visitor looked for something with the search of the site.',
    required: { visitor_id: visit.visitor_id, query: text('blue mug'), result_count: count(3) },
    optional: { session_id: id('ses_88'), clicked_result: count(1, 1), performed_at: time() },
  },
  'video.started': {
    description: 'A visitor began to watch a video.',
    required: { ...video, ...visit, length_seconds: count(95, 1) },
    optional: { title: text('How a mug is made'), session_id: id('ses_88'), is_autoplay: flag(false) },
  },
  'video.completed': {
    description: 'A visitor watched a video to its end.',
    required: { ...video, visitor_id: visit.visitor_id, watched_seconds: count(95, 1) },
    optional: { title: text('How a mug is made'), session_id: id('ses_88'), completed_at: time() },
  },
  'experiment.assigned': {
    description: 'A visitor was put into one of the groups of an experiment.',
    required: { experiment_id: id('exp_1'), variant: text('short-checkout'), visitor_id: visit.visitor_id },
    optional: { session_id: id('ses_88'), assigned_at: time() },
  },
})
