import { statement } from '../db/sql.ts';

/** What the contract suite looks at. */
export const countBlobs = statement<[], { count: number }>('SELECT COUNT(*) AS count FROM blobs');

export const line = statement<[], { destination: string }>('SELECT destination FROM queue_destinations');

export const leaseFields = statement<[], { lease: string | null; lease_until: number | null }>(
  'SELECT lease, lease_until FROM queue_recipients',
);

/** Messages whose count of open recipients, or whose time of being settled, disagrees with their recipients. */
export const openMismatches = statement<[], { queue_id: string }>(
  `SELECT m.queue_id FROM queue_messages m
   WHERE m.open <> (SELECT COUNT(*) FROM queue_recipients r WHERE r.message_id = m.id AND r.settled_at IS NULL)
     OR (m.open = 0) <> (m.settled_at IS NOT NULL)`,
);
