/** What Node's fetch takes and the browsers' types do not know: tests of pages see both. */
interface RequestInit {
  duplex?: 'half';
}
