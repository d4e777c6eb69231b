/* Copies what is in a folder into another one: `tmpcopyup`, the contents of the image in a new tmpfs. */
#ifndef ENGINE_ROOM_COPY_TREE_H
#define ENGINE_ROOM_COPY_TREE_H

/*
 * From the folder `from` (O_PATH will do) into the empty folder `to`. The number of entries copied, or the errno as a
 * negative number; what was copied until then stays. Owners and permissions are kept, times and extended attributes
 * are not, as upstream.
 */
long copy_tree(long from, long to);

#endif
