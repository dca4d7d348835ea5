import { initiator, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, id, list, text, time, url } from './schema.ts'

const booking = { booking_id: id('bkg_12') }
const span = { starts_at: time('2026-03-21T10:00:00Z'), ends_at: time('2026-03-21T12:00:00Z') }
const bookingDetails = { customer_id: id('cus_204'), service_id: id('svc_pottery') }
const gathering = { gathering_id: id('gth_spring_fair') }

export const bookings = defineDomain('booking', 'Appointments, and gatherings that people register for.', {
  'booking.requested': {
    description: 'A customer asked for an appointment, and nobody confirmed it yet.',
    required: { ...booking, service_id: id('svc_pottery'), ...span },
    optional: { customer_id: id('cus_204'), guests: count(2, 1), wishes: text('Near the window.') },
  },
  'booking.confirmed': {
    description: 'An appointment is certain: time and place are kept free.',
    required: { ...booking, ...span, confirmed_at: time() },
    optional: { ...bookingDetails, resource_id: id('res_wheel_3'), price: money(6000) },
  },
  'booking.rescheduled': {
    description: 'An appointment was moved to another time.',
    required: { ...booking, ...span, previous_starts_at: time('2026-03-20T10:00:00Z') },
    optional: { ...bookingDetails, rescheduled_by: initiator },
  },
  'booking.cancelled': {
    description: 'An appointment was called off and will not take place.',
    required: { ...booking, cancelled_by: initiator, cancelled_at: time() },
    optional: { ...bookingDetails, reason: text('Ill.'), fee: money(1500) },
  },
  'booking.checked_in': {
    description: 'A customer came to an appointment.',
    required: { ...booking, checked_in_at: time('2026-03-21T09:55:00Z') },
    optional: { ...bookingDetails, guests: count(2, 1) },
  },
  'booking.missed': {
    description: 'A customer did not come to an appointment and had not cancelled it.',
    required: { ...booking, starts_at: span.starts_at },
    optional: { ...bookingDetails, fee: money(3000) },
  },
  'attendee.registered': {
    description: 'Somebody registered for a fair, a course, a webinar or another gathering.',
    required: { ...gathering, attendee_id: id('att_8'), registered_at: time() },
    optional: {
      contact_id: id('cus_204'),
      ticket_kind: text('early'),
      price: money(2500),
      sessions: list(text('glazing')),
    },
  },
  'attendee.attended': {
    description: 'Somebody who had registered for a gathering was there.',
    required: { ...gathering, attendee_id: id('att_8'), mode: choice('in-person', 'online') },
    optional: { contact_id: id('cus_204'), minutes: count(55), join_url: url('https://meet.example/fair') },
  },
})
