/* The C side of codec.rs: libvpx behind functions that only take plain numbers and pointers.
 *
 * It is C because libvpx's structures change from version to version, and its headers are the only
 * true description of those that are installed. Every decision is made in Rust but the settings below.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

/* Ticks a second of the time stamps that the encoder gets: those of RTP. */
#define TICKS 90000

/* Fast enough for a small computer: from -16 (best) to 16 (fastest) for VP8 in real time. */
#define SPEED 8

/* One plane after the other, without gaps: luma, then two of colour at half the size, rounded up. */
static void lay_out(vpx_image_t *image, unsigned width, unsigned height, const uint8_t *planes) {
    unsigned half_width = (width + 1) / 2, half_height = (height + 1) / 2;
    uint8_t *luma = (uint8_t *)planes;
    uint8_t *blue = luma + (size_t)width * height;
    vpx_img_wrap(image, VPX_IMG_FMT_I420, width, height, 1, luma);
    image->planes[VPX_PLANE_Y] = luma;
    image->planes[VPX_PLANE_U] = blue;
    image->planes[VPX_PLANE_V] = blue + (size_t)half_width * half_height;
    image->stride[VPX_PLANE_Y] = (int)width;
    image->stride[VPX_PLANE_U] = (int)half_width;
    image->stride[VPX_PLANE_V] = (int)half_width;
}

struct homeline_encoder {
    vpx_codec_ctx_t codec;
    unsigned width, height, ticks_per_frame;
};

/* NULL, and why, when the encoder can't be made. */
struct homeline_encoder *homeline_encoder_new(unsigned width, unsigned height, unsigned rate,
                                              unsigned kilobits, int *why) {
    vpx_codec_enc_cfg_t settings;
    struct homeline_encoder *encoder = calloc(1, sizeof *encoder);
    *why = VPX_CODEC_MEM_ERROR;
    if (encoder == NULL) return NULL;
    *why = vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &settings, 0);
    if (*why != VPX_CODEC_OK) goto failed;
    encoder->width = width;
    encoder->height = height;
    encoder->ticks_per_frame = TICKS / rate;
    settings.g_w = width;
    settings.g_h = height;
    settings.g_timebase.num = 1;
    settings.g_timebase.den = TICKS;
    settings.g_threads = 1;
    /* Each frame comes out at once, and none is dropped: the call's clock is ours. */
    settings.g_lag_in_frames = 0;
    settings.rc_dropframe_thresh = 0;
    settings.g_error_resilient = 0;
    settings.rc_end_usage = VPX_CBR;
    settings.rc_target_bitrate = kilobits;
    settings.rc_min_quantizer = 4;
    settings.rc_max_quantizer = 56;
    settings.rc_undershoot_pct = 95;
    settings.rc_overshoot_pct = 15;
    settings.rc_buf_sz = 1000;
    settings.rc_buf_initial_sz = 500;
    settings.rc_buf_optimal_sz = 600;
    /* Key frames are large: only when somebody needs one. */
    settings.kf_mode = VPX_KF_DISABLED;
    *why = vpx_codec_enc_init(&encoder->codec, vpx_codec_vp8_cx(), &settings, 0);
    if (*why != VPX_CODEC_OK) goto failed;
    *why = vpx_codec_control(&encoder->codec, VP8E_SET_CPUUSED, -SPEED);
    if (*why == VPX_CODEC_OK) *why = vpx_codec_control(&encoder->codec, VP8E_SET_STATIC_THRESHOLD, 1);
    /* A key frame may take as much as five frames of the bitrate. */
    if (*why == VPX_CODEC_OK)
        *why = vpx_codec_control(&encoder->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, 500);
    if (*why == VPX_CODEC_OK) return encoder;
    vpx_codec_destroy(&encoder->codec);
failed:
    free(encoder);
    return NULL;
}

/* Encodes one image. `*data` is the encoder's own, and stands until the next call. */
int homeline_encoder_encode(struct homeline_encoder *encoder, const uint8_t *planes, int64_t at,
                            int key, const uint8_t **data, size_t *length, int *is_key) {
    vpx_image_t image;
    vpx_codec_iter_t iterator = NULL;
    const vpx_codec_cx_pkt_t *packet;
    int why;
    *data = NULL;
    *length = 0;
    *is_key = 0;
    lay_out(&image, encoder->width, encoder->height, planes);
    why = vpx_codec_encode(&encoder->codec, &image, at, encoder->ticks_per_frame,
                           key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
    if (why != VPX_CODEC_OK) return why;
    while ((packet = vpx_codec_get_cx_data(&encoder->codec, &iterator)) != NULL) {
        if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
        *data = packet->data.frame.buf;
        *length = packet->data.frame.sz;
        *is_key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
    }
    return VPX_CODEC_OK;
}

void homeline_encoder_free(struct homeline_encoder *encoder) {
    vpx_codec_destroy(&encoder->codec);
    free(encoder);
}

struct homeline_decoder {
    vpx_codec_ctx_t codec;
    const vpx_image_t *image;
};

struct homeline_decoder *homeline_decoder_new(int *why) {
    vpx_codec_dec_cfg_t settings = {.threads = 1};
    struct homeline_decoder *decoder = calloc(1, sizeof *decoder);
    *why = VPX_CODEC_MEM_ERROR;
    if (decoder == NULL) return NULL;
    *why = vpx_codec_dec_init(&decoder->codec, vpx_codec_vp8_dx(), &settings, 0);
    if (*why == VPX_CODEC_OK) return decoder;
    free(decoder);
    return NULL;
}

/* The size that a key frame claims. Touches no decoder. */
int homeline_decoder_peek(const uint8_t *data, unsigned length, unsigned *width, unsigned *height) {
    vpx_codec_stream_info_t stream;
    int why;
    memset(&stream, 0, sizeof stream);
    stream.sz = sizeof stream;
    why = vpx_codec_peek_stream_info(vpx_codec_vp8_dx(), data, length, &stream);
    *width = stream.w;
    *height = stream.h;
    return why;
}

/* Decodes one frame. Its size is 0 by 0 when the frame is not to be shown. */
int homeline_decoder_decode(struct homeline_decoder *decoder, const uint8_t *data, unsigned length,
                            unsigned *width, unsigned *height) {
    vpx_codec_iter_t iterator = NULL;
    int corrupted = 0;
    int why;
    *width = 0;
    *height = 0;
    decoder->image = NULL;
    why = vpx_codec_decode(&decoder->codec, data, length, NULL, 0);
    if (why != VPX_CODEC_OK) return why;
    decoder->image = vpx_codec_get_frame(&decoder->codec, &iterator);
    if (decoder->image == NULL) return VPX_CODEC_OK;
    /* Decoded, but from a frame that was not whole. */
    if (vpx_codec_control(&decoder->codec, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK &&
        corrupted) {
        decoder->image = NULL;
        return VPX_CODEC_CORRUPT_FRAME;
    }
    if (decoder->image->fmt != VPX_IMG_FMT_I420) {
        decoder->image = NULL;
        return VPX_CODEC_UNSUP_FEATURE;
    }
    *width = decoder->image->d_w;
    *height = decoder->image->d_h;
    return VPX_CODEC_OK;
}

static uint8_t *copy(uint8_t *to, const vpx_image_t *image, int plane, unsigned width, unsigned height) {
    for (unsigned row = 0; row < height; row++) {
        memcpy(to, image->planes[plane] + (ptrdiff_t)row * image->stride[plane], width);
        to += width;
    }
    return to;
}

/* Copies the image of the last decode out, laid out as above, for the size that it told. */
void homeline_decoder_copy(const struct homeline_decoder *decoder, uint8_t *planes) {
    const vpx_image_t *image = decoder->image;
    if (image == NULL) return;
    planes = copy(planes, image, VPX_PLANE_Y, image->d_w, image->d_h);
    planes = copy(planes, image, VPX_PLANE_U, (image->d_w + 1) / 2, (image->d_h + 1) / 2);
    copy(planes, image, VPX_PLANE_V, (image->d_w + 1) / 2, (image->d_h + 1) / 2);
}

void homeline_decoder_free(struct homeline_decoder *decoder) {
    vpx_codec_destroy(&decoder->codec);
    free(decoder);
}

/* In words, for a message. */
const char *homeline_codec_error(int why) {
    return vpx_codec_err_to_string((vpx_codec_err_t)why);
}
