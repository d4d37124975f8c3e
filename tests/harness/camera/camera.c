// A stand-in camera: preloaded into a program, it plays the frames of a file as the V4L2 device /dev/video0.
//
// BELLBIRD_CAMERA_FRAMES     raw YUYV frames of 640x360, one after the other; without it nothing is stood in for
// BELLBIRD_CAMERA_NAME       what the camera is called
// BELLBIRD_CAMERA_UNPLUGGED  while a file of this name exists, the camera is unplugged
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// ROOM is a picture's place in memory: whole pages, even where a page has 64 KiB.
enum { WIDTH = 640, HEIGHT = 360, RATE = 30, PICTURE = WIDTH * HEIGHT * 2, ROOM = 8 << 16, BUFFERS = 32 };
static const int64_t SECOND = 1000000000;
static const time_t MARK = 1000000000; // Seconds, and a process's number on top.

// Fixed arguments are passed like variable ones on these processors, so "..." is not needed.
#define REPLACE(type, name, ...) type our_##name(__VA_ARGS__) __asm__(#name); type our_##name(__VA_ARGS__)
// The variants with "64" are the same on these systems.
#define ALSO(name, other) __asm__(".globl " #other "\n.type " #other ", %function\n.set " #other ", " #name)
#define REPLACE64(type, name, ...) ALSO(name, name##64); REPLACE(type, name, __VA_ARGS__)
#define NEXT(name) ({ static _Atomic(void *) known; (__typeof__(&name))next(&known, #name); })

// What was replaced; NULL during the look-up itself, when an allocator in there comes back to us.
static void *next(_Atomic(void *) *known, const char *name) {
    static __thread bool looking __attribute__((tls_model("initial-exec")));
    if (!*known && !looking) {
        looking = true;
        *known = dlsym(RTLD_NEXT, name);
        looking = false;
    }
    return *known;
}

// A system call past every library, for what an allocator may want during a look-up.
static long kernel(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result = number;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long result __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e, x5 __asm__("x5") = f, x8 __asm__("x8") = number;
    __asm__ volatile("svc 0" : "+r"(result) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory");
#endif
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

// The one camera of this process.
static struct {
    pthread_mutex_t lock;
    pid_t process;
    atomic_long opens;       // How often it was opened; each opener is known by its number.
    long owner, latest_gone; // Who has the buffers, or 0; who came last before it was unplugged.
    bool streams;
    int memory, pictures;
    uint8_t *pool;
    uint32_t buffers;
    struct buffer {
        enum { WITH_PROGRAM, QUEUED, DONE } state;
        bool is_mapped, is_damaged;
        uint64_t order; // Its turn among the queued.
        int64_t frame, at;
    } buffer[BUFFERS];
    uint64_t queued;
    int64_t count, start, frame; // Pictures in the file; when the stream began; the frame that comes next.
} device = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static const char *name(void) { return setting("BELLBIRD_CAMERA_NAME", "Stand-in camera"); }

static bool is_wanted(void) { return setting("BELLBIRD_CAMERA_FRAMES", NULL); }

static bool is_camera(const char *path) { return path && strcmp(path, "/dev/video0") == 0 && is_wanted(); }

static bool is_plugged_in(void) { return NEXT(access)(setting("BELLBIRD_CAMERA_UNPLUGGED", ""), F_OK) != 0; }

// Whose descriptor it is; 0: not the camera's. It is a timer, so that every way to wait for a frame works without our
// help, and its interval, never reached, says whose: that is right for copies, and for numbers used again.
static long opener(int fd) {
    struct itimerspec timer;
    bool is_ours = fd >= 0 && device.opens && timerfd_gettime(fd, &timer) == 0
        && timer.it_interval.tv_sec == MARK + getpid();
    return is_ours ? timer.it_interval.tv_nsec : 0;
}

// So that no one needs to tell us of a close.
static bool is_open(long who) {
    int fd = 0;
    while (fd < 4096 && opener(fd) != who)
        fd++;
    return fd < 4096;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static int64_t due(int64_t frame) { return device.start + (frame + 1) * SECOND / RATE; }

static struct buffer *first(int state) {
    struct buffer *found = NULL;
    for (struct buffer *buffer = device.buffer; buffer < device.buffer + device.buffers; buffer++)
        if ((int)buffer->state == state && (!found || buffer->order < found->order))
            found = buffer;
    return found;
}

// What a driver would have done since the last call: fill buffers in time, drop frames when there are none.
static void advance(void) {
    int64_t time = now();
    while (device.streams && due(device.frame) <= time) {
        struct buffer *buffer = first(QUEUED);
        if (!buffer) {
            device.frame = (time - device.start) * RATE / SECOND;
            return;
        }
        uint8_t *picture = device.pool + (buffer - device.buffer) * ROOM;
        ssize_t got = pread(device.pictures, picture, PICTURE, device.frame % device.count * PICTURE);
        buffer->is_damaged = got != PICTURE;
        buffer->state = DONE;
        buffer->at = due(device.frame);
        buffer->frame = device.frame++;
    }
}

// Makes the descriptor readable as soon as there is a frame, or an error to fetch.
static void arm(int fd, long who) {
    bool is_idle = !device.streams || who <= device.latest_gone;
    int64_t at = is_idle || first(DONE) ? 1 : first(QUEUED) ? due(device.frame) : 0;
    struct itimerspec timer = {{MARK + getpid(), who}, {at / SECOND, at % SECOND}};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void stop(void) {
    if (device.streams)
        close(device.pictures);
    device.streams = false;
    for (uint32_t index = 0; index < device.buffers; index++)
        device.buffer[index].state = WITH_PROGRAM;
}

static int start(void) {
    int pictures = open(setting("BELLBIRD_CAMERA_FRAMES", ""), O_RDONLY | O_CLOEXEC);
    off_t size = pictures < 0 ? 0 : lseek(pictures, 0, SEEK_END);
    if (size < PICTURE || size % PICTURE) {
        close(pictures);
        return -EIO;
    }
    device.pictures = pictures, device.count = size / PICTURE;
    device.start = now(), device.frame = 0, device.streams = true;
    return 0;
}

static void free_buffers(void) {
    stop();
    if (device.buffers) {
        munmap(device.pool, (size_t)device.buffers * ROOM);
        close(device.memory); // What the program still has mapped stays.
    }
    device.buffers = 0, device.owner = 0;
}

static int allocate(long owner, uint32_t count) {
    size_t size = (size_t)count * ROOM;
    int memory = memfd_create("camera", MFD_CLOEXEC);
    void *pool = MAP_FAILED;
    if (memory >= 0 && ftruncate(memory, (off_t)size) == 0)
        pool = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (pool == MAP_FAILED) {
        close(memory);
        return -ENOMEM;
    }
    memset(device.buffer, 0, sizeof device.buffer);
    device.memory = memory, device.pool = pool, device.buffers = count, device.owner = owner;
    return 0;
}

static int describe(struct v4l2_buffer *asked, const struct buffer *buffer) {
    uint32_t index = (uint32_t)(buffer - device.buffer), flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    flags |= buffer->is_mapped ? V4L2_BUF_FLAG_MAPPED : 0;
    flags |= buffer->is_damaged ? V4L2_BUF_FLAG_ERROR : 0;
    flags |= buffer->state == QUEUED ? V4L2_BUF_FLAG_QUEUED : buffer->state == DONE ? V4L2_BUF_FLAG_DONE : 0;
    *asked = (struct v4l2_buffer){
        .index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP, .field = V4L2_FIELD_NONE,
        .flags = flags, .m.offset = index * ROOM, .length = PICTURE, .bytesused = PICTURE,
        .sequence = (uint32_t)buffer->frame, .timestamp = {buffer->at / SECOND, buffer->at % SECOND / 1000}};
    return 0;
}

union asked {
    void *any;
    uint32_t *word;
    struct v4l2_capability *capability;
    struct v4l2_fmtdesc *description;
    struct v4l2_frmsizeenum *size;
    struct v4l2_frmivalenum *interval;
    struct v4l2_format *format;
    struct v4l2_streamparm *parameters;
    struct v4l2_input *input;
    struct v4l2_ext_controls *controls;
    struct v4l2_requestbuffers *request;
    struct v4l2_buffer *buffer;
};

// The requests that move pictures.
static int stream(long who, uint32_t request, union asked asked) {
    // The type of stream is the first word of some, the second of others.
    bool is_switch = request == VIDIOC_STREAMON || request == VIDIOC_STREAMOFF;
    if (asked.word[is_switch ? 0 : 1] != V4L2_BUF_TYPE_VIDEO_CAPTURE)
        return -EINVAL;
    if (device.owner && device.owner != who && request != VIDIOC_QUERYBUF)
        return -EBUSY;
    advance();
    struct buffer *buffer = &device.buffer[is_switch || asked.word[0] >= device.buffers ? 0 : asked.word[0]];
    switch (request) {
    case VIDIOC_REQBUFS:
        if (asked.request->memory != V4L2_MEMORY_MMAP || device.streams)
            return device.streams ? -EBUSY : -EINVAL;
        free_buffers();
        *asked.request = (struct v4l2_requestbuffers){
            .count = asked.request->count < BUFFERS ? asked.request->count : BUFFERS, .type = asked.request->type,
            .memory = V4L2_MEMORY_MMAP,
            .capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP | V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS};
        return asked.request->count ? allocate(who, asked.request->count) : 0;
    case VIDIOC_QUERYBUF:
        return asked.buffer->index < device.buffers ? describe(asked.buffer, buffer) : -EINVAL;
    case VIDIOC_QBUF:
        if (asked.buffer->memory != V4L2_MEMORY_MMAP || asked.buffer->index >= device.buffers
            || buffer->state != WITH_PROGRAM)
            return -EINVAL;
        *buffer = (struct buffer){.state = QUEUED, .is_mapped = buffer->is_mapped, .order = device.queued++};
        return describe(asked.buffer, buffer);
    case VIDIOC_DQBUF:
        if (asked.buffer->memory != V4L2_MEMORY_MMAP || !device.streams)
            return -EINVAL;
        buffer = first(DONE);
        if (!buffer)
            return -EAGAIN;
        buffer->state = WITH_PROGRAM;
        return describe(asked.buffer, buffer);
    case VIDIOC_STREAMON:
        return !device.owner ? -EINVAL : device.streams ? 0 : start();
    default: // VIDIOC_STREAMOFF
        return stop(), 0;
    }
}

static int answer(long who, uint32_t request, union asked asked) {
    static const struct v4l2_pix_format format = {
        .width = WIDTH, .height = HEIGHT, .pixelformat = V4L2_PIX_FMT_YUYV, .field = V4L2_FIELD_NONE,
        .bytesperline = WIDTH * 2, .sizeimage = PICTURE, .colorspace = V4L2_COLORSPACE_SRGB,
        .priv = V4L2_PIX_FMT_PRIV_MAGIC};
    switch (request) {
    case VIDIOC_QUERYCAP:
        *asked.capability = (struct v4l2_capability){
            .driver = "stand-in", .bus_info = "platform:stand-in", .version = 6 << 16 | 1 << 8,
            .device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_EXT_PIX_FORMAT};
        asked.capability->capabilities = asked.capability->device_caps | V4L2_CAP_DEVICE_CAPS;
        snprintf((char *)asked.capability->card, sizeof asked.capability->card, "%s", name());
        return 0;
    case VIDIOC_ENUM_FMT:
        if (asked.description->index || asked.description->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
            return -EINVAL;
        *asked.description = (struct v4l2_fmtdesc){
            .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .pixelformat = format.pixelformat, .description = "YUYV 4:2:2"};
        return 0;
    case VIDIOC_ENUM_FRAMESIZES:
        if (asked.size->index || asked.size->pixel_format != format.pixelformat)
            return -EINVAL;
        *asked.size = (struct v4l2_frmsizeenum){
            .pixel_format = format.pixelformat, .type = V4L2_FRMSIZE_TYPE_DISCRETE, .discrete = {WIDTH, HEIGHT}};
        return 0;
    case VIDIOC_ENUM_FRAMEINTERVALS:
        if (asked.interval->index || asked.interval->pixel_format != format.pixelformat
            || asked.interval->width != WIDTH || asked.interval->height != HEIGHT)
            return -EINVAL;
        *asked.interval = (struct v4l2_frmivalenum){.pixel_format = format.pixelformat, .width = WIDTH,
            .height = HEIGHT, .type = V4L2_FRMIVAL_TYPE_DISCRETE, .discrete = {1, RATE}};
        return 0;
    case VIDIOC_G_FMT: case VIDIOC_S_FMT: case VIDIOC_TRY_FMT:
        if (asked.format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
            return -EINVAL;
        if (request == VIDIOC_S_FMT && device.owner)
            return -EBUSY;
        *asked.format = (struct v4l2_format){.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .fmt.pix = format};
        return 0;
    case VIDIOC_G_PARM: case VIDIOC_S_PARM:
        if (asked.parameters->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
            return -EINVAL;
        *asked.parameters = (struct v4l2_streamparm){.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
            .parm.capture = {.capability = V4L2_CAP_TIMEPERFRAME, .timeperframe = {1, RATE}}};
        return 0;
    case VIDIOC_ENUMINPUT:
        if (asked.input->index)
            return -EINVAL;
        *asked.input = (struct v4l2_input){.name = "Camera 1", .type = V4L2_INPUT_TYPE_CAMERA};
        return 0;
    case VIDIOC_G_INPUT:
        return *asked.word = 0;
    case VIDIOC_S_INPUT:
        return *asked.word ? -EINVAL : 0;
    case VIDIOC_QUERYCTRL: case VIDIOC_QUERY_EXT_CTRL: case VIDIOC_QUERYMENU: case VIDIOC_G_CTRL: case VIDIOC_S_CTRL:
        return -EINVAL;
    case VIDIOC_G_EXT_CTRLS: case VIDIOC_S_EXT_CTRLS: case VIDIOC_TRY_EXT_CTRLS:
        asked.controls->error_idx = request == VIDIOC_TRY_EXT_CTRLS ? 0 : asked.controls->count;
        return asked.controls->count ? -EINVAL : 0; // There are none.
    case VIDIOC_G_PRIORITY:
        *asked.word = V4L2_PRIORITY_DEFAULT;
        return 0;
    case VIDIOC_REQBUFS: case VIDIOC_QUERYBUF: case VIDIOC_QBUF: case VIDIOC_DQBUF:
    case VIDIOC_STREAMON: case VIDIOC_STREAMOFF:
        return stream(who, request, asked);
    default:
        return -ENOTTY;
    }
}

static int control(int fd, uint32_t request, void *data) {
    uint64_t nothing[32] = {0};
    int error = -EBADF;
    for (long who; (who = opener(fd));) {
        pthread_mutex_lock(&device.lock);
        if (!is_plugged_in())
            device.latest_gone = device.opens;
        if (device.owner && device.owner != who && (device.owner <= device.latest_gone || !is_open(device.owner)))
            free_buffers();
        error = who <= device.latest_gone ? -ENODEV : answer(who, request, (union asked){data ? data : nothing});
        error = data || error == -ENOTTY ? error : -EFAULT; // Nothing is changed without a type of stream.
        if (device.owner == who || !device.owner)
            arm(fd, who);
        pthread_mutex_unlock(&device.lock);
        if (error != -EAGAIN || fcntl(fd, F_GETFL) & O_NONBLOCK)
            break;
        // Not for ever: the camera may be unplugged while no frame is due.
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 100);
    }
    errno = error ? -error : errno;
    return error ? -1 : 0;
}

static int open_camera(int flags) {
    if (!is_plugged_in()) {
        errno = ENOENT;
        return -1;
    }
    if (device.opens && device.process != getpid()) // A fork's child has a camera of its own.
        memset(&device, 0, sizeof device);
    int fd = timerfd_create(CLOCK_MONOTONIC, flags & (O_NONBLOCK | O_CLOEXEC)); // A timer's flags are those of open.
    if (fd < 0)
        return -1;
    pthread_mutex_lock(&device.lock);
    device.process = getpid();
    device.opens++;
    timerfd_settime(fd, 0, &(struct itimerspec){{MARK + getpid(), device.opens}, {0, 1}}, NULL);
    pthread_mutex_unlock(&device.lock);
    return fd;
}

// Opens what the system tells about the camera; -1 for everything else.
static int open_text(const char *path) {
    bool is_name = path && strcmp(path, "/sys/class/video4linux/video0/name") == 0;
    bool is_event = path && strcmp(path, "/sys/dev/char/81:0/uevent") == 0;
    if (!(is_name || is_event) || !is_wanted() || !is_plugged_in())
        return -1;
    int fd = memfd_create("camera", MFD_CLOEXEC);
    dprintf(fd, "%.31s\n", is_name ? name() : "DEVNAME=video0");
    lseek(fd, 0, SEEK_SET);
    return fd;
}

REPLACE64(int, openat, int directory, const char *path, int flags, mode_t mode) {
    if (is_camera(path))
        return open_camera(flags);
    int text = open_text(path);
    if (text >= 0)
        return text;
    __typeof__(&openat) real = NEXT(openat);
    return real ? real(directory, path, flags, mode)
                : (int)kernel(SYS_openat, directory, (long)path, flags, mode, 0, 0);
}

REPLACE64(int, open, const char *path, int flags, mode_t mode) { return our_openat(AT_FDCWD, path, flags, mode); }

REPLACE(int, __open_2, const char *path, int flags) { return our_openat(AT_FDCWD, path, flags, 0); }
ALSO(__open_2, __open64_2);

// The C library opens its streams without asking anyone.
REPLACE64(FILE *, fopen, const char *path, const char *mode) {
    int text = open_text(path);
    return text < 0 ? NEXT(fopen)(path, mode) : fdopen(text, mode);
}

REPLACE(int, ioctl, int fd, unsigned long request, void *data) {
    return opener(fd) ? control(fd, (uint32_t)request, data) : NEXT(ioctl)(fd, request, data);
}

// The crate v4l asks for ioctl this way.
REPLACE(long, syscall, long number, long a, long b, long c, long d, long e, long f) {
    if (number == SYS_ioctl && opener((int)a))
        return control((int)a, (uint32_t)b, (void *)c);
    __typeof__(&syscall) real = NEXT(syscall);
    return real ? real(number, a, b, c, d, e, f) : kernel(number, a, b, c, d, e, f);
}

REPLACE64(void *, mmap, void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    __typeof__(&mmap) real = NEXT(mmap);
    long who = opener(fd);
    if (!who)
        return real ? real(address, length, protection, flags, fd, offset)
                    : (void *)kernel(SYS_mmap, (long)address, (long)length, protection, flags, fd, offset);
    pthread_mutex_lock(&device.lock);
    void *mapped = MAP_FAILED;
    size_t index = (size_t)offset / ROOM;
    bool fits = offset % ROOM == 0 && index < device.buffers && length <= ROOM;
    if (who <= device.latest_gone || !fits || !(flags & MAP_SHARED) || !(protection & PROT_READ))
        errno = who <= device.latest_gone ? ENODEV : EINVAL;
    else
        mapped = real(address, length, protection, flags, device.memory, offset);
    if (mapped != MAP_FAILED)
        device.buffer[index].is_mapped = true;
    pthread_mutex_unlock(&device.lock);
    return mapped;
}

// To look at the camera's file is to look at another device that everyone may use, or at none.
static const char *seen(const char *path) {
    return !is_camera(path) ? path : is_plugged_in() ? "/dev/null" : "/dev/unplugged";
}

REPLACE(int, access, const char *path, int mode) { return NEXT(access)(seen(path), mode); }

REPLACE64(int, stat, const char *path, struct stat *found) {
    int error = NEXT(stat)(seen(path), found);
    if (!error && is_camera(path))
        found->st_rdev = makedev(81, 0);
    return error;
}

REPLACE64(int, fstat, int fd, struct stat *found) {
    return opener(fd) ? our_stat("/dev/video0", found) : NEXT(fstat)(fd, found);
}

REPLACE(int, statx, int directory, const char *path, int flags, unsigned mask, struct statx *found) {
    int error = NEXT(statx)(directory, seen(path), flags, mask, found);
    if (!error && is_camera(path))
        found->stx_rdev_major = 81, found->stx_rdev_minor = 0;
    return error;
}

// Listings of /dev that have yet to show the camera.
static _Atomic(DIR *) listings[16];

static bool turn(DIR *from, DIR *to) {
    for (int index = 0; index < 16; index++) {
        DIR *expected = from;
        if (atomic_compare_exchange_strong(&listings[index], &expected, to))
            return true;
    }
    return false;
}

REPLACE(DIR *, opendir, const char *path) {
    DIR *listing = NEXT(opendir)(path);
    if (listing && (strcmp(path, "/dev") == 0 || strcmp(path, "/dev/") == 0) && is_wanted() && is_plugged_in()
        && NEXT(access)("/dev/video0", F_OK) != 0) // A real camera in its place is listed anyway.
        turn(NULL, listing);
    return listing;
}

REPLACE64(struct dirent *, readdir, DIR *listing) {
    static struct dirent camera = {.d_ino = 1, .d_reclen = sizeof camera, .d_type = DT_CHR, .d_name = "video0"};
    struct dirent *entry = NEXT(readdir)(listing);
    return !entry && turn(listing, NULL) ? &camera : entry;
}

REPLACE(int, closedir, DIR *listing) {
    turn(listing, NULL);
    return NEXT(closedir)(listing);
}
