//! Files as crashes and faulty disks leave them.
