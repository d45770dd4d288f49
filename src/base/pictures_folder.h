/* pictures_folder.h - where desktops keep pictures. */
#ifndef SCRY_BASE_PICTURES_FOLDER_H
#define SCRY_BASE_PICTURES_FOLDER_H

/* The Pictures folder of the user-dirs of the XDG, else ~/Pictures; NULL where there is no such folder. Owned. */
char *scry_pictures_folder(void);

#endif
